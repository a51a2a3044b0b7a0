// Rows of a shard where there is a beacon: what its blocks sent to other shards, and what the child of its newest block has to know. Values are
// bytes here.
import { concatBytes, uint64At, uint64ToBytes } from '../core/primitives/bytes.ts';
import type { ChainId, Height } from '../core/primitives/ids.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import type { KeyValueStore } from './key-value-store.ts';
import { ROW_FAMILY } from './schema.ts';

/** After the family and the shard. */
const HEIGHT_AT = 1 + 8;
const ROWS_MAX = Number.MAX_SAFE_INTEGER;

/** Reads and operations on shard rows. */
export interface ShardStore {
  putSent(shard: ChainId, height: Height, sent: Uint8Array): readonly RowOperation[];
  dropSent(shard: ChainId, height: Height): readonly RowOperation[];
  /** All that is kept of what a shard sent, by ascending height. */
  readSent(shard: ChainId): Promise<readonly { readonly height: Height; readonly sent: Uint8Array }[]>;
  putParent(shard: ChainId, parent: Uint8Array): readonly RowOperation[];
  getParent(shard: ChainId): Uint8Array | undefined;
}

/** Shard rows in `store`. */
export function createShardStore(store: KeyValueStore): ShardStore {
  return {
    putSent: (shard, height, sent) => [{ type: 'put', key: sentKey(shard, height), value: sent }],
    dropSent: (shard, height) => [{ type: 'delete', key: sentKey(shard, height) }],
    readSent: async (shard) => {
      const rows: { readonly height: Height; readonly sent: Uint8Array }[] = [];
      const range = { gte: sentKey(shard, 0), lt: sentKey(shard + 1, 0), limit: ROWS_MAX };
      for await (const { key, value } of store.iterate(range)) rows.push({ height: uint64At(key, HEIGHT_AT), sent: value });
      return rows;
    },
    putParent: (shard, parent) => [{ type: 'put', key: parentKey(shard), value: parent }],
    getParent: (shard) => store.get(parentKey(shard)),
  };
}

function sentKey(shard: ChainId, height: Height): Uint8Array {
  return concatBytes(Uint8Array.of(ROW_FAMILY.sentMessages), uint64ToBytes(shard), uint64ToBytes(height));
}

function parentKey(shard: ChainId): Uint8Array {
  return concatBytes(Uint8Array.of(ROW_FAMILY.shardParent), uint64ToBytes(shard));
}
