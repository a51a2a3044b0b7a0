// The instance of a shard as its blocks see it, from what a node has of the instance before.
import { type BeaconState, layoutOfEpoch, shardsOf } from '../core/beacon/state.ts';
import { joinCursors, narrowCursors } from '../core/messaging/cursors.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Cursor } from '../core/protocol/block.ts';
import { Block } from '../core/protocol/certified-block.ts';
import type { Instance } from '../core/protocol/committee.ts';
import { storedValue } from '../core/protocol/ssz.ts';
import { makeShardInstance, type ShardInstance } from '../core/shard/beacon-view.ts';
import type { BlockStore } from '../storage/block-store.ts';

/** See the file's head. `state` is the newest beacon state: it has the layout of every instance that may still run. */
export function shardInstanceOf(blockStore: BlockStore, state: BeaconState, { chain, epoch, startRecord }: Instance): ShardInstance {
  const layout = layoutOfEpoch(state, epoch);
  invariant(layout !== undefined, `the layout of epoch ${epoch} is kept while an instance of it runs`);
  // What the closing headers commit: the closing blocks themselves read nothing.
  const closing = startRecord.closingHeaders.map((hash): readonly Cursor[] => {
    const stored = blockStore.getByHash(hash);
    invariant(stored !== undefined, 'who has the state of a record has what closed the one before');
    return narrowCursors(storedValue(Block, stored.block).header.parentExecution.cursors, chain);
  });
  return makeShardInstance(startRecord, new Set(shardsOf(layout)), joinCursors(closing));
}
