// What a node's shards have sent and others have still to read, as a restart finds it: also of shards that it follows no more.

import type { BeaconWindow } from '../runtime/beacon-window.ts';
import { type BundleShelf, decodeSent } from '../runtime/bundle-shelf.ts';
import { heldSinceOf } from '../runtime/shard-block-commits.ts';
import type { ShardStore } from '../storage/shard-store.ts';

/** See the file's head. */
export async function fillShelf(
  shelf: BundleShelf,
  { shardStore, window }: { readonly shardStore: ShardStore; readonly window: BeaconWindow },
): Promise<void> {
  for (const { shard } of window.newest.sources)
    for (const { height, sent } of await shardStore.readSent(shard)) {
      const outbox = decodeSent(shard, height, sent);
      shelf.put(shard, height, outbox, 'stored', heldSinceOf(window, shard, height, outbox));
    }
}
