// A sample of Twins scenarios on whole nodes: the production composition of the beacon and one shard with a twin of the first validator, on a
// virtual clock. The scenario's rounds are those of one of the two chains; the other runs beside it, through the same partitions. Leaders are
// those that the world's own seed draws; partitions are drawn, and in force while the newest round of an honest node is theirs. What a partition
// keeps back is lost here, as it would be on a real network.

import { leaderOf } from '../../core/consensus/leader.ts';
import { startPoint } from '../../core/consensus/state.ts';
import { invariant } from '../../core/primitives/errors.ts';
import type { ChainId, ValidatorIndex } from '../../core/primitives/ids.ts';
import type { NetworkParameters } from '../../core/protocol/parameters.ts';
import type { Chain } from '../../node/create-chain.ts';
import type { Node } from '../../node/create-node.ts';
import { instanceIdOf } from '../../runtime/consensus-codec.ts';
import { PLAIN_SHAPE, scheduleParameters } from '../chain-shape.ts';
import { chainsOf } from '../chains-of.ts';
import { CommittedChain } from '../checks/committed-chain.ts';
import { overheard, SignedWords } from '../checks/signed-words.ts';
import type { Property, Violation } from '../checks/violation.ts';
import { direction } from '../links.ts';
import { livenessBoundMs } from '../liveness-bound.ts';
import { SeededRandom } from '../random.ts';
import { createWorld, type World, type WorldCrypto } from '../world.ts';
import { type Cast, type Partition, PLAN_SETS } from './scenario.ts';

const START_MS = 1_700_000_000_000;
const LATENCY_MS = 10;
/** A partition in which no round can end is lifted after so long. */
const PARTITION_MS_MAX = 2_500;
/** Blocks that everybody has to commit when the network is whole again. */
const BLOCKS_AFTER = 2;
/** More beacon blocks than a scenario has: each chain stays in its first instance. */
const EPOCH_BLOCKS = 10_000;

/** What came of one scenario. */
export interface WholeNodesReport {
  /** As drawn by the seed. */
  readonly leaders: readonly ValidatorIndex[];
  readonly partitions: readonly Partition[];
  readonly blocks: number;
  readonly violation: Violation | undefined;
}

/** Runs the scenario of a seed, with partitions in so many first rounds. */
export async function runOnWholeNodes(options: {
  readonly seed: number;
  readonly cast: Cast;
  readonly rounds: number;
  /** Whose rounds they are. */
  readonly chain: ChainId;
  readonly crypto: WorldCrypto;
  readonly preset: NetworkParameters;
}): Promise<WholeNodesReport> {
  const { seed, cast, rounds, crypto, preset } = options;
  const parameters = scheduleParameters(preset, cast.validators, { ...PLAIN_SHAPE, epochBlocks: EPOCH_BLOCKS });
  let violation: Violation | undefined;
  let world: World | undefined;
  const report = (property: Property, node: string | undefined, detail: string): void => {
    violation ??= { property, node, detail, atMs: (world?.clock.nowMs() ?? START_MS) - START_MS };
  };
  const chain = new CommittedChain(report, () => undefined);
  const isHonest = (index: number): boolean => index >= cast.twins && index < cast.validators;
  const words = Array.from({ length: cast.validators }, (_unused, index) => new SignedWords(`node-${index}`, report));
  world = await createWorld({
    crypto,
    seed,
    nodes: cast.validators,
    twins: Array.from({ length: cast.twins }, (_unused, validator) => validator),
    startMs: START_MS,
    latencyMs: LATENCY_MS,
    lossShare: 0,
    parameters,
    accounts: [],
    interpose: (name, own) => {
      const index = Number(/^node-(\d+)$/.exec(name)?.[1] ?? -1);
      const word = words[index];
      return word === undefined
        ? own
        : overheard(
            own,
            (message) => word.hear(message, world?.disks[index]?.recordFileOf(instanceIdOf(message))),
            () => false,
          );
    },
    onFault: (index, fault) => {
      if (isHonest(index)) report('no-fault', `node-${index}`, String(fault));
    },
  });
  const { clock, nodes, names, disks, links } = world;
  const honest = nodes.map((node, index) => ({ node, index })).filter(({ index }) => isHonest(index));
  const check = (): void => {
    for (const { node, index } of honest) {
      const [name, disk] = [names[index], disks[index]];
      if (name !== undefined && disk !== undefined) chain.observe(name, node, disk.rows);
    }
  };
  const newestRound = (): number => Math.max(...honest.map(({ node }) => chainIn(node, options.chain).runner.state.round));
  const random = new SeededRandom(seed, 'twins');
  const partitions = Array.from({ length: rounds }, () => random.pick(PLAN_SETS.cuts(cast)).partition);
  clock.onEvent = check;
  for (const [index, partition] of partitions.entries()) {
    cut(links.silenced, names, partition);
    await clock.run(clock.nowMs() + PARTITION_MS_MAX, () => violation !== undefined || newestRound() > index + 1);
  }
  links.silenced.clear();
  const targets = new Map([...chain.heights].map(([id, height]) => [id, height + BLOCKS_AFTER]));
  const isBack = (): boolean =>
    honest.every(({ node }) =>
      chainsOf(node).every(({ instance, blocks }) => blocks.committed.facts.height >= (targets.get(instance.chain) ?? BLOCKS_AFTER)),
    );
  const boundMs = livenessBoundMs(parameters, LATENCY_MS, true);
  await clock.run(clock.nowMs() + boundMs, () => violation !== undefined || isBack());
  if (!isBack()) report('liveness', undefined, `${BLOCKS_AFTER} blocks of each chain were not committed by all within ${boundMs} ms`);
  const [first] = nodes;
  if (first === undefined) throw new Error(`a cast of ${cast.validators} validators has no node`);
  const { instance } = chainIn(first, options.chain);
  const leaders = partitions.map((_partition, index) => leaderOf(instance, startPoint(instance), index + 1));
  await world.stop();
  return { leaders, partitions, blocks: chain.heights.get(options.chain) ?? 0, violation };
}

function chainIn(node: Node, wanted: ChainId): Chain {
  const found = chainsOf(node).find(({ instance }) => instance.chain === wanted);
  invariant(found !== undefined, `a node runs chain ${wanted}`);
  return found;
}

function cut(silenced: Set<string>, names: readonly string[], partition: Partition): void {
  silenced.clear();
  for (const [from, sender] of names.entries()) {
    for (const [to, recipient] of names.entries()) if (partition[from] !== partition[to]) silenced.add(direction(sender, recipient));
  }
}
