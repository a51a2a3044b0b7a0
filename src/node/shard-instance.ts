// The instance of a shard as its blocks see it, from what a node has of the instance before.
import { type BeaconState, layoutOfEpoch, shardsOf } from '../core/beacon/state.ts';
import { joinCursors, narrowCursors } from '../core/messaging/cursors.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Cursor } from '../core/protocol/block.ts';
import { Block } from '../core/protocol/certified-block.ts';
import type { Instance, StartRecord } from '../core/protocol/committee.ts';
import { storedValue } from '../core/protocol/ssz.ts';
import { makeShardInstance, type ShardInstance } from '../core/shard/beacon-view.ts';
import { decodeBeaconState } from '../runtime/beacon-commits.ts';
import type { BeaconStore } from '../storage/beacon-store.ts';
import type { BlockStore } from '../storage/block-store.ts';

/** Where it is found. */
export interface ShardInstanceSources {
  readonly blockStore: BlockStore;
  readonly beaconStore: BeaconStore;
}

/** See the file's head. `state` is the newest beacon state: it has the layout of every instance that may still run. */
export function shardInstanceOf(sources: ShardInstanceSources, state: BeaconState, { epoch, startRecord }: Instance): ShardInstance {
  const layout = layoutOfEpoch(state, epoch);
  invariant(layout !== undefined, `the layout of epoch ${epoch} is kept while an instance of it runs`);
  return makeShardInstance(startRecord, new Set(shardsOf(layout)), cursorsOfRecord(sources, state, startRecord));
}

// As the beacon block that made the record has them; where its state is not kept any more, as the closing headers commit them: closing blocks read nothing,
// and the body of the header at which the beacon took over is void.
function cursorsOfRecord({ blockStore, beaconStore }: ShardInstanceSources, state: BeaconState, record: StartRecord): readonly Cursor[] {
  const { shard, epoch, beaconHeight, closingHeaders } = record;
  const encoded = beaconStore.getState(beaconHeight);
  const { records } = encoded === undefined ? state : decodeBeaconState(encoded);
  const entry = records.find((each) => each.record.shard === shard && each.record.epoch === epoch && each.progress.round === 0);
  if (entry !== undefined) return entry.progress.cursors;
  const closing = closingHeaders.map((hash): readonly Cursor[] => {
    const stored = blockStore.getByHash(hash);
    invariant(stored !== undefined, 'who has the state of a record has what closed the one before');
    return narrowCursors(storedValue(Block, stored.block).header.parentExecution.cursors, shard);
  });
  return joinCursors(closing);
}
