// Gives a strategy its tools in a world of nodes: its own keys and node, and, while faults last, the network itself.
import type { TimestampMs, ValidatorIndex } from '../../core/primitives/ids.ts';
import type { PeerName } from '../../network/ports.ts';
import { createSigner } from '../../runtime/signer.ts';
import { SeededRandom } from '../random.ts';
import type { World, WorldCrypto } from '../world.ts';
import type { StrategyTools } from './strategy.ts';

/** Whose tools, and where. */
export interface ToolsInput {
  readonly name: PeerName;
  readonly validator: ValidatorIndex;
  readonly seed: number;
  readonly crypto: WorldCrypto;
  /** Undefined while it is being made. */
  readonly world: () => World | undefined;
  readonly isHonest: (index: number) => boolean;
  /** When the network is left alone, by the world's clock. */
  readonly faultsEndMs: TimestampMs;
  readonly toldWrong: StrategyTools['toldWrong'];
}

/** See the file's head. */
export function toolsFor({ name, validator, seed, crypto, world, isHonest, faultsEndMs, toldWrong }: ToolsInput): StrategyTools {
  const node = () => world()?.nodes[validator];
  return {
    random: new SeededRandom(seed, `strategy of ${name}`),
    whisper: (to, topic, data) => world()?.network.whisper(name, to, topic, data),
    node,
    bls: crypto.bls,
    signer: () => {
      const [keys, own] = [world()?.keys[validator], node()];
      return keys === undefined || own === undefined ? undefined : createSigner(crypto, { validator, ...keys }, own.chain.instance);
    },
    schedule: (delayMs, run) => void world()?.clock.schedule(delayMs, run),
    toldWrong,
    wire: {
      isOpen: () => (world()?.clock.nowMs() ?? faultsEndMs) < faultsEndMs,
      links: () => world()?.links,
      names: () => world()?.names.filter((_name, index) => world()?.validatorOf(index) === index) ?? [],
      honestStates: () => (world()?.nodes ?? []).filter((_node, index) => isHonest(index)).map(({ chain }) => chain.runner.state),
    },
  };
}
