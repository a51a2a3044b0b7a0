// A whole network of fake shards over many epochs, for the beacon's rules: layouts change at random, chains stall and die, are taken over, split and
// merge, send messages and read them at their own pace. Beside it the naive truth: the tree as sixteen leaves, each message by the leaf it goes to,
// and how far each leaf has read each source.
import { NO_CERTIFICATE } from '../../../src/core/beacon/child-roots.ts';
import { isPermittedLayout } from '../../../src/core/beacon/epoch.ts';
import { epochOfHeight } from '../../../src/core/beacon/epochs.ts';
import { type BeaconState, layoutOfEpoch, type RecordEntry, type Source, shardsOf } from '../../../src/core/beacon/state.ts';
import type { Applied } from '../../../src/core/beacon/transition.ts';
import { joinedRoot } from '../../../src/core/beacon/world-root.ts';
import type { Bytes32, ChainId, Height } from '../../../src/core/primitives/ids.ts';
import type { Cursor } from '../../../src/core/protocol/block.ts';
import type { StartRecord } from '../../../src/core/protocol/committee.ts';
import { leftToRight } from '../../../src/core/protocol/layout.ts';
import { EMPTY_OUTBOX, type OutboxSummary } from '../../../src/core/protocol/outbox.ts';
import { isWithin, shardsIntersect } from '../../../src/core/protocol/subtrees.ts';
import { type Draw, drawFrom } from '../protocol/generate-value.ts';
import {
  advance,
  type Beacon,
  beaconOf,
  chainOf,
  crosslinkOf,
  emitting,
  encoded,
  extend,
  extendByCarrier,
  type FakeChain,
  outboxTo,
  rootOf,
  smallGenesis,
} from './fixture.ts';

const DEPTH = 4;
/** The leaves, as nodes of the tree. */
export const LEAVES: readonly ChainId[] = Array.from({ length: 2 ** DEPTH }, (_unused, index) => 2 ** DEPTH + index);
const HEADERS_A_CROSSLINK = 64;

/** A message that is anchored. */
export interface Message {
  readonly source: ChainId;
  readonly height: Height;
  readonly leaf: ChainId;
}

interface ShardRun {
  readonly chain: FakeChain;
  /** The leaves after the newest block, and as its header commits them. */
  leaves: ReadonlyMap<ChainId, Bytes32>;
  committed: ReadonlyMap<ChainId, Bytes32>;
  cursors: readonly Cursor[];
  /** What each height sent. */
  readonly outboxes: Map<number, OutboxSummary>;
  /** Blocks that are crosslinked. */
  final: number;
  carriers: number;
  /** Blocks after which it makes none. */
  readonly dies: number;
  feesWei: bigint;
}

/** The network, and what is true of it. */
export interface World {
  readonly beacon: Beacon;
  readonly finalLeaves: Map<ChainId, Bytes32>;
  /** Those that their leaf has not read in what is final. */
  unread: Message[];
  /** By source and leaf: the height up to which, and without, the leaf has read in what is final. */
  readonly read: Map<string, Height>;
  feesWei: bigint;
  readonly takenOver: Set<string>;
  /** By shard and epoch: what its own committee closed. */
  readonly closedByCommittee: Set<string>;
  step(quiet?: boolean): Applied;
}

/** A network of two shards; `seed` decides everything that happens. */
export function createWorld(seed: number): World {
  const draw = drawFrom(seed);
  const finalLeaves = new Map(LEAVES.map((leaf) => [leaf, rootOf('leaf', leaf)]));
  const beacon = beaconOf(smallGenesis({ validators: 5, layout: [2, 3] }), (shard) => rootOverLeaves(shard, finalLeaves));
  const runs = new Map<StartRecord, ShardRun>();
  const world: World = {
    beacon,
    finalLeaves,
    unread: [],
    read: new Map(),
    feesWei: 0n,
    takenOver: new Set(),
    closedByCommittee: new Set(),
    step,
  };

  function step(quiet = false): Applied {
    const { state } = beacon;
    const isLast = (state.height + 1) % beacon.constants.parameters.epochBlocks === 0;
    const crosslinks: Uint8Array[] = [];
    const done: (() => void)[] = [];
    for (const entry of state.records) {
      if (entry.closed) {
        const late = isLast || (!quiet && draw(3) > 0) ? undefined : lateChildRoots(beacon, entry, finalLeaves);
        if (late !== undefined) crosslinks.push(late);
        continue;
      }
      const run = runOf(world, runs, entry, quiet ? () => 1 : draw);
      for (let blocks = quiet ? 2 : draw(3); blocks > 0; blocks--) makeBlock(beacon, run, quiet, draw);
      if (isLast || run.chain.headers.length === run.final || (!quiet && draw(2) === 0)) continue;
      crosslinks.push(crosslinkOfRun(world, run, done));
    }
    const applied = advance(
      beacon,
      { crosslinks },
      { nextLayout: (at) => (quiet ? keepLayout(beacon, at) : drawLayout(beacon, at, draw)) },
    );
    for (const finish of done) finish();
    world.unread = world.unread.filter(({ source, height, leaf }) => (world.read.get(`${source}/${leaf}`) ?? 0) <= height);
    for (const { record, closed } of applied.state.records) if (closed) world.takenOver.add(`${record.shard}/${record.epoch}`);
    return applied;
  }
  return world;
}

/** The root of a shard over leaves. */
export function rootOverLeaves(shard: ChainId, leaves: ReadonlyMap<ChainId, Bytes32>): Bytes32 {
  const parts = LEAVES.filter((leaf) => isWithin(leaf, shard)).map((leaf) => ({ shard: leaf, stateRoot: leaves.get(leaf) as Bytes32 }));
  return joinedRoot(shard, parts);
}

function runOf({ beacon, finalLeaves }: World, runs: Map<StartRecord, ShardRun>, entry: RecordEntry, draw: Draw): ShardRun {
  const known = runs.get(entry.record);
  if (known !== undefined) return known;
  const chain = chainOf(beacon, entry.record);
  const leaves = new Map(
    LEAVES.filter((leaf) => isWithin(leaf, entry.record.shard)).map((leaf) => [leaf, finalLeaves.get(leaf) as Bytes32]),
  );
  const dies = draw(6) === 0 ? draw(12) : Number.MAX_SAFE_INTEGER;
  const run: ShardRun = {
    chain,
    leaves,
    committed: leaves,
    cursors: entry.progress.cursors,
    outboxes: new Map(),
    final: 0,
    carriers: 0,
    dies,
    feesWei: 0n,
  };
  runs.set(entry.record, run);
  return run;
}

function makeBlock(beacon: Beacon, run: ShardRun, quiet: boolean, draw: Draw): void {
  const { chain } = run;
  const { headers, instance } = chain;
  if (headers.length >= run.dies || headers.length - run.final >= HEADERS_A_CROSSLINK) return;
  const epoch = epochOfHeight(beacon.state.height, beacon.constants.parameters);
  const last = headers.at(-1);
  if (last !== undefined && epochOfHeight(last.beaconReference.height, beacon.constants.parameters) > instance.epoch) {
    if (run.final === headers.length) return;
    extendByCarrier(chain);
    run.carriers++;
    return;
  }
  const isFirst = last === undefined;
  const isClosing = epoch > instance.epoch;
  const sent = run.outboxes.get((last?.height ?? 0) as number) ?? EMPTY_OUTBOX;
  const feesWei = isFirst ? 0n : BigInt(draw(100));
  if (!isFirst) run.cursors = readOn(beacon.state, instance.chain, run.cursors, quiet ? () => 1_000 : draw);
  const height = (last?.height ?? instance.startRecord.height) + 1;
  extend(beacon, chain, {
    execution: {
      stateRoot: rootOverLeaves(instance.chain, run.leaves),
      cursors: [...run.cursors],
      ...(sent.bundles.length > 0 ? emitting(sent) : {}),
      proposerFeesWei: feesWei,
      burnedFeesWei: 2n * feesWei,
    },
  });
  run.feesWei += 3n * feesWei;
  run.committed = run.leaves;
  if (isClosing) return;
  run.leaves = new Map([...run.leaves].map(([leaf, root]) => [leaf, draw(3) === 0 ? rootOf('leaf', leaf, height, draw(1_000)) : root]));
  const present = layoutOfEpoch(beacon.state, epoch);
  const destinations = present === undefined || quiet ? [] : shardsOf(present).filter(() => draw(4) === 0);
  if (destinations.length > 0) run.outboxes.set(height, outboxTo(...destinations));
}

function crosslinkOfRun(world: World, run: ShardRun, done: (() => void)[]): Uint8Array {
  const { chain, final, carriers, outboxes } = run;
  const { chain: shard, epoch } = chain.instance;
  const present = layoutOfEpoch(world.beacon.state, epochOfHeight(world.beacon.state.height + 1, world.beacon.constants.parameters));
  const last = chain.headers.at(-1 - carriers);
  const closes = epochOfHeight(last?.beaconReference.height ?? 0, world.beacon.constants.parameters) > epoch;
  const children = closes && present !== undefined ? childrenIn(shard, shardsOf(present)) : [];
  const childStateRoots = children.map((child) => rootOverLeaves(child, run.committed));
  const crosslink = crosslinkOf(chain, { from: final, carriers, outboxes, change: { childStateRoots } });
  const { cursors, committed, feesWei } = run;
  run.final = chain.headers.length;
  run.feesWei = 0n;
  done.push(() => {
    for (const [leaf, root] of committed) world.finalLeaves.set(leaf, root);
    for (const { source, prefix, height } of cursors) {
      for (const leaf of committed.keys()) if (isWithin(leaf, prefix)) readTo(world, `${source}/${leaf}`, height);
    }
    for (const { height } of crosslink.headers) {
      for (const { destination } of outboxes.get(height - 1)?.bundles ?? []) {
        for (const leaf of LEAVES) if (isWithin(leaf, destination)) world.unread.push({ source: shard, height: height - 1, leaf });
      }
    }
    world.feesWei += feesWei;
    if (closes) world.closedByCommittee.add(`${shard}/${epoch}`);
  });
  return encoded(crosslink);
}

function readTo({ read }: World, place: string, height: Height): void {
  const before = read.get(place) ?? 0;
  if (height < before) throw new Error(`${place} was read to ${before}, and again from ${height}: messages would be executed twice`);
  read.set(place, height);
}

function lateChildRoots({ constants, state }: Beacon, { record }: RecordEntry, leaves: World['finalLeaves']): Uint8Array | undefined {
  const present = layoutOfEpoch(state, epochOfHeight(state.height + 1, constants.parameters));
  const children = present === undefined ? [] : childrenIn(record.shard, shardsOf(present));
  if (children.length === 0) return undefined;
  const nothing = { headers: [], outboxes: [], carriers: [], quorumCertificate: NO_CERTIFICATE, commitCertificate: NO_CERTIFICATE };
  const childStateRoots = children.map((child) => rootOverLeaves(child, leaves));
  return encoded({ shard: record.shard, epoch: record.epoch, ...nothing, childStateRoots });
}

function childrenIn(shard: ChainId, layout: readonly ChainId[]): readonly ChainId[] {
  return layout.filter((other) => other !== shard && isWithin(other, shard));
}

// Cursors for exactly the listed sources over the whole shard, each somewhere between where it was and the end.
function readOn(state: BeaconState, shard: ChainId, before: readonly Cursor[], draw: Draw): readonly Cursor[] {
  return state.sources.flatMap((source) =>
    cursorsOf(
      source,
      shard,
      before.filter((cursor) => cursor.source === source.shard),
      draw,
    ),
  );
}

function cursorsOf(source: Source, prefix: ChainId, before: readonly Cursor[], draw: Draw): Cursor[] {
  const holder = before.find((cursor) => isWithin(prefix, cursor.prefix));
  const inside = before.filter((cursor) => isWithin(cursor.prefix, prefix));
  if (holder === undefined && inside.length > 0) {
    const halves = [2 * prefix, 2 * prefix + 1].flatMap((half) => cursorsOf(source, half, before, draw));
    const [left, right] = halves;
    const folds = halves.length === 2 && left !== undefined && left.height === right?.height && (left.prefix ^ 1) === right.prefix;
    return folds ? [{ ...left, prefix }] : halves;
  }
  const height = Math.max(holder?.height ?? 0, source.startHeight + 1);
  const end = Math.max(height, source.anchoredHeight + 1);
  return [{ source: source.shard, prefix, height: Math.min(end, height + draw(6)), index: 0 }];
}

function keepLayout({ constants }: Beacon, state: BeaconState): readonly ChainId[] {
  const next = layoutOfEpoch(state, epochOfHeight(state.height, constants.parameters) + 1);
  return next === undefined ? [] : shardsOf(next);
}

// Some splits and merges of what the rules permit to change.
function drawLayout(beacon: Beacon, state: BeaconState, draw: Draw): readonly ChainId[] {
  let layout = keepLayout(beacon, state);
  for (let tries = 0; tries < 4; tries++) {
    const shard = layout[draw(layout.length)] as ChainId;
    const sibling = shard ^ 1;
    const canMerge = shard > 1 && layout.includes(sibling);
    const proposed =
      canMerge && draw(2) === 0
        ? [...layout.filter((other) => other !== shard && other !== sibling), shard >>> 1]
        : shard < 2 ** (DEPTH - 1)
          ? [...layout.filter((other) => !shardsIntersect(other, shard)), ...splitOf(shard, draw)]
          : layout;
    const ordered = leftToRight(proposed);
    if (isPermittedLayout(beacon.constants, state, ordered)) layout = ordered;
  }
  return layout;
}

function splitOf(shard: ChainId, draw: Draw): readonly ChainId[] {
  const halves = [2 * shard, 2 * shard + 1];
  return shard < 2 ** (DEPTH - 2) && draw(3) === 0
    ? [2 * (halves[0] as ChainId), 2 * (halves[0] as ChainId) + 1, halves[1] as ChainId]
    : halves;
}
