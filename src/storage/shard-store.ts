// Rows of a shard where there is a beacon: what its blocks sent to other shards, and what the children of its newest blocks have to know. Values are
// bytes here.
import { concatBytes, uint64At, uint64ToBytes } from '../core/primitives/bytes.ts';
import type { ChainId, Height } from '../core/primitives/ids.ts';
import { UNANCHORED_BLOCKS_MAX } from '../core/protocol/limits.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import type { KeyValueStore } from './key-value-store.ts';
import { ROW_FAMILY } from './schema.ts';

/** After the family and the shard. */
const HEIGHT_AT = 1 + 8;
const ROWS_MAX = Number.MAX_SAFE_INTEGER;
/** Twice as far as a shard may run ahead of what is anchored: no block below is gone back to. */
const PARENTS_KEPT = 2 * UNANCHORED_BLOCKS_MAX;

/** Reads and operations on shard rows. */
export interface ShardStore {
  putSent(shard: ChainId, height: Height, sent: Uint8Array): readonly RowOperation[];
  dropSent(shard: ChainId, height: Height): readonly RowOperation[];
  getSent(shard: ChainId, height: Height): Uint8Array | undefined;
  /** All that is kept of what a shard sent, by ascending height. */
  readSent(shard: ChainId): Promise<readonly { readonly height: Height; readonly sent: Uint8Array }[]>;
  /** Operations that store what the child of the block at a height has to know, and forget what nobody goes back to. */
  putParent(shard: ChainId, height: Height, parent: Uint8Array): readonly RowOperation[];
  getParent(shard: ChainId, height: Height): Uint8Array | undefined;
}

/** Shard rows in `store`. */
export function createShardStore(store: KeyValueStore): ShardStore {
  return {
    putSent: (shard, height, sent) => [{ type: 'put', key: sentKey(shard, height), value: sent }],
    dropSent: (shard, height) => [{ type: 'delete', key: sentKey(shard, height) }],
    getSent: (shard, height) => store.get(sentKey(shard, height)),
    readSent: async (shard) => {
      const rows: { readonly height: Height; readonly sent: Uint8Array }[] = [];
      const range = { gte: sentKey(shard, 0), lt: sentKey(shard + 1, 0), limit: ROWS_MAX };
      for await (const { key, value } of store.iterate(range)) rows.push({ height: uint64At(key, HEIGHT_AT), sent: value });
      return rows;
    },
    putParent: (shard, height, parent) => [
      { type: 'put', key: parentKey(shard, height), value: parent },
      ...(height < PARENTS_KEPT ? [] : [{ type: 'delete' as const, key: parentKey(shard, height - PARENTS_KEPT) }]),
    ],
    getParent: (shard, height) => store.get(parentKey(shard, height)),
  };
}

function sentKey(shard: ChainId, height: Height): Uint8Array {
  return concatBytes(Uint8Array.of(ROW_FAMILY.sentMessages), uint64ToBytes(shard), uint64ToBytes(height));
}

function parentKey(shard: ChainId, height: Height): Uint8Array {
  return concatBytes(Uint8Array.of(ROW_FAMILY.shardParent), uint64ToBytes(shard), uint64ToBytes(height));
}
