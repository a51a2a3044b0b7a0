// The instance of a shard as its blocks see it, from what a node has of the instance before.
import { type BeaconState, layoutOfEpoch, shardsOf } from '../core/beacon/state.ts';
import { joinCursors, narrowCursors } from '../core/messaging/cursors.ts';
import { bytesEqual } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Cursor } from '../core/protocol/block.ts';
import { Block } from '../core/protocol/certified-block.ts';
import { type Instance, StartRecord } from '../core/protocol/committee.ts';
import { storedValue } from '../core/protocol/ssz.ts';
import { makeShardInstance, type ShardInstance } from '../core/shard/beacon-view.ts';
import type { BlockStore } from '../storage/block-store.ts';

/** See the file's head. `state` is the newest beacon state: it has the layout of every instance that may still run. */
export function shardInstanceOf(blockStore: BlockStore, state: BeaconState, { epoch, startRecord }: Instance): ShardInstance {
  const layout = layoutOfEpoch(state, epoch);
  invariant(layout !== undefined, `the layout of epoch ${epoch} is kept while an instance of it runs`);
  return makeShardInstance(startRecord, new Set(shardsOf(layout)), cursorsOfRecord(blockStore, state, startRecord));
}

// What the closing headers commit: closing blocks read nothing, and the body of the header at which the beacon took over is void. Where it had none, the
// record before was the end, with its cursors.
function cursorsOfRecord(blockStore: BlockStore, state: BeaconState, { shard, closingHeaders }: StartRecord): readonly Cursor[] {
  const closing = closingHeaders.map((hash): readonly Cursor[] => {
    const stored = blockStore.getByHash(hash);
    if (stored !== undefined) return narrowCursors(storedValue(Block, stored.block).header.parentExecution.cursors, shard);
    const before = state.instances.find(({ record }) => bytesEqual(StartRecord.hashTreeRoot(record), hash));
    invariant(before !== undefined, 'who has the state of a record has what closed the one before');
    return narrowCursors(cursorsOfRecord(blockStore, state, before.record), shard);
  });
  return joinCursors(closing);
}
