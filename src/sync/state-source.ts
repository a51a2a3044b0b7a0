// Where a node gets the state of a shard that it is to run and does not have: from peers that have it now (state-transfer.ts), later from
// snapshots. The root is one that the beacon anchored, so where the leaves come from makes no difference to what they are.
import type { RecordEntry } from '../core/beacon/state.ts';
import type { Verdict } from '../core/primitives/verdict.ts';
import type { StateVersion } from '../core/state/state-version.ts';
import type { StateName } from './state-protocol.ts';

/**
 * Why a state could not be had for now: nobody who was asked has that version; nobody answers; whoever answered gave another state; it is larger
 * than this node takes; this node is being stopped.
 */
export type StateFault = 'not-held' | 'no-answer' | 'wrong-state' | 'too-large' | 'stopped';

/** See the file's head. */
export interface StateSource {
  /**
   * The version as `StateDatabase.importVersion` gives it: its root is the expected one, and `commit` completes it. The shard's database must be
   * empty; after a refusal it counts as empty still, and the same or another version can be fetched. One fetch of a shard at a time.
   */
  fetch(expected: StateName): Promise<Verdict<StateVersion, StateFault>>;
}

/** The newest state of a record's shard that is final for everyone: what its last crosslinked header commits, which is its parent's result. */
export function anchoredStateOf({ record, progress }: Pick<RecordEntry, 'record' | 'progress'>): StateName {
  const { shard, height, stateRoot } = record;
  if (progress.round === 0) return { shard, height, root: stateRoot };
  return { shard, height: progress.height - 1, root: progress.stateRoot };
}
