// Gives a strategy its tools in a world of nodes: its own keys and node, and, while faults last, the network itself.
import { bytesToHex } from '../../core/primitives/bytes.ts';
import type { Bytes32, Hex, TimestampMs, ValidatorIndex } from '../../core/primitives/ids.ts';
import type { Instance } from '../../core/protocol/committee.ts';
import type { PeerName } from '../../network/ports.ts';
import { createSigner, type Signer } from '../../runtime/signer.ts';
import { chainOf, chainsOf } from '../chains-of.ts';
import { SeededRandom } from '../random.ts';
import type { World, WorldCrypto } from '../world.ts';
import type { StrategyTools } from './strategy.ts';

/** Instances that a dishonest validator remembers: more than a schedule has. */
const INSTANCES_MAX = 1_024;

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
  const instances = new Map<Hex, Instance>();
  const signerIn = (instanceId: Bytes32): Signer | undefined => {
    const [keys, own] = [world()?.keys[validator], node()];
    for (const { instance } of own === undefined ? [] : chainsOf(own))
      if (instances.size < INSTANCES_MAX) instances.set(bytesToHex(instance.instanceId), instance);
    const instance = instances.get(bytesToHex(instanceId));
    return keys === undefined || instance === undefined ? undefined : createSigner(crypto, { validator, ...keys }, instance);
  };
  return {
    random: new SeededRandom(seed, `strategy of ${name}`),
    whisper: (to, topic, data) => world()?.network.whisper(name, to, topic, data),
    node,
    bls: crypto.bls,
    vrf: crypto.vrf,
    signerIn,
    chainIn: (instanceId) => {
      const own = node();
      return own === undefined ? undefined : chainOf(own, instanceId);
    },
    genesis: () => world()?.genesis,
    schedule: (delayMs, run) => void world()?.clock.schedule(delayMs, run),
    toldWrong,
    wire: {
      isOpen: () => (world()?.clock.nowMs() ?? faultsEndMs) < faultsEndMs,
      links: () => world()?.links,
      names: () => world()?.names.filter((_name, index) => world()?.validatorOf(index) === index) ?? [],
      honestStates: () =>
        (world()?.nodes ?? []).filter((_node, index) => isHonest(index)).flatMap((own) => chainsOf(own).map(({ runner }) => runner.state)),
    },
  };
}
