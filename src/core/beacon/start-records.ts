// Start records (protocol, section 6): an instance starts only by one, and one comes only in the place of closed ones. At the end of each beacon
// block, for every shard of the layout of that block's epoch: if all records that intersect it are closed, they are replaced by a record for it,
// at a split for all children at once, at a merge one for both.
//
// The rule upheld: in every state the records' shards are the whole tree, each part once, and heights never go back. All replacements are
// determined before any record is made, and a closed record is replaced as a whole or not at all.
//
// A record that the layout splits needs the state roots of the children. The crosslink that closes it brings them; after a takeover, which has
// no crosslink, they come by one of their own (child-roots.ts), and until then the record waits.
import { invariant } from '../primitives/errors.ts';
import type { ChainId, Epoch, Height } from '../primitives/ids.ts';
import type { Cursor } from '../protocol/block.ts';
import { StartRecord } from '../protocol/committee.ts';
import { isLeftOf } from '../protocol/layout.ts';
import { isWithin, shardsIntersect } from '../protocol/subtrees.ts';
import type { BeaconConstants } from './constants.ts';
import { epochOfHeight } from './epochs.ts';
import { instanceOfRecord } from './instance.ts';
import { inheritedLoad } from './load.ts';
import { recordSeedOf, seedOfEpoch } from './seeds.ts';
import { type BeaconState, type KnownInstance, layoutOfEpoch, type Progress, type RecordEntry, shardsOf } from './state.ts';
import { joinedRoot } from './world-root.ts';

/** A state after replacing what could be replaced, and the records that came. */
export interface Replacement {
  readonly state: BeaconState;
  readonly newRecords: readonly StartRecord[];
}

/** See the file's head. `state` is that of the block at `state.height`, after its crosslinks and takeovers. */
export function replaceClosedRecords(constants: BeaconConstants, state: BeaconState): Replacement {
  if (state.records.every(({ closed }) => !closed)) return { state, newRecords: [] };
  const epoch = epochOfHeight(state.height, constants.parameters);
  const layout = layoutOfEpoch(state, epoch);
  invariant(layout !== undefined, 'the layout of the present epoch is kept');
  const shards = shardsOf(layout);
  const replaced = shards.flatMap((shard) => {
    const parts = state.records.filter(({ record }) => shardsIntersect(record.shard, shard));
    return parts.every((part) => isReplaceable(part, shards)) ? [{ shard, parts }] : [];
  });
  if (replaced.length === 0) return { state, newRecords: [] };
  const gone = new Set(replaced.flatMap(({ parts }) => parts));
  const made = replaced.map(({ shard, parts }) => entryOf(recordAfter(state, shard, epoch, parts), shard, parts));
  const records = [...state.records.filter((entry) => !gone.has(entry)), ...made].sort(byPlace);
  const newRecords = made.map(({ record }) => record);
  return { state: withKnownInstances(constants, { ...state, records }, newRecords), newRecords };
}

/** The entry of a record that no header stands on yet. */
export function freshEntry(record: StartRecord, inherited: Pick<Progress, 'cursors' | 'load'>): RecordEntry {
  const { height, timestampMs, baseFeePerGasWei, stateRoot, beaconHeight } = record;
  const progress: Progress = {
    ...inherited,
    hash: StartRecord.hashTreeRoot(record),
    height,
    round: 0,
    timestampMs,
    baseFeePerGasWei,
    proposer: 0,
    stateRoot,
    referenceHeight: beaconHeight,
  };
  return { record, progress, closed: false, childRoots: [] };
}

/** Remembers the instances of records, so that evidence may be of them. */
export function withKnownInstances(constants: BeaconConstants, state: BeaconState, records: readonly StartRecord[]): BeaconState {
  const known = records.map((record): KnownInstance => ({ instanceId: instanceOfRecord(constants, state, record).instanceId, record }));
  return { ...state, instances: [...state.instances, ...known] };
}

function isReplaceable({ closed, record, childRoots }: RecordEntry, layout: readonly ChainId[]): boolean {
  if (!closed) return false;
  const children = layout.filter((shard) => shard !== record.shard && isWithin(shard, record.shard));
  return children.every((shard, index) => childRoots[index]?.shard === shard);
}

function recordAfter(state: BeaconState, shard: ChainId, epoch: Epoch, parts: readonly RecordEntry[]): StartRecord {
  const ends = parts.map(({ progress }) => progress);
  return {
    shard,
    epoch,
    beaconHeight: state.height,
    closingHeaders: ends.map(({ hash }) => hash),
    stateRoot: stateRootAfter(shard, parts),
    height: Math.max(...ends.map(({ height }): Height => height)),
    timestampMs: Math.max(...ends.map(({ timestampMs }) => timestampMs)),
    baseFeePerGasWei: greatest(ends.map(({ baseFeePerGasWei }) => baseFeePerGasWei)),
    seed: recordSeedOf(seedOfEpoch(state, epoch), shard, epoch),
  };
}

function stateRootAfter(shard: ChainId, parts: readonly RecordEntry[]): Uint8Array {
  const child = parts.flatMap(({ childRoots }) => childRoots).find((root) => root.shard === shard);
  if (child !== undefined) return child.stateRoot;
  return joinedRoot(
    shard,
    parts.map(({ record, progress }) => ({ shard: record.shard, stateRoot: progress.stateRoot })),
  );
}

function entryOf(record: StartRecord, shard: ChainId, parts: readonly RecordEntry[]): RecordEntry {
  const cursors: Cursor[] = parts.flatMap(({ progress }) => progress.cursors.filter(({ prefix }) => shardsIntersect(prefix, shard)));
  const loads = parts.map(({ record: { shard: part }, progress }) => ({ shard: part, load: progress.load }));
  return freshEntry(record, { cursors, load: inheritedLoad(shard, loads) });
}

// `Math.max` takes no bigints.
function greatest(amounts: readonly bigint[]): bigint {
  const [first = 0n, ...others] = amounts;
  return others.some((other) => other > first) ? greatest(others) : first;
}

function byPlace(a: RecordEntry, b: RecordEntry): number {
  return isLeftOf(a.record.shard, b.record.shard) ? -1 : 1;
}
