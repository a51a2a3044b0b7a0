// The rows of a node's one database.
import { type BeaconStore, createBeaconStore } from '../storage/beacon-store.ts';
import { type BlockStore, createBlockStore } from '../storage/block-store.ts';
import { createEvidenceStore, type EvidenceStore } from '../storage/evidence-store.ts';
import type { KeyValueStore } from '../storage/key-value-store.ts';
import { createShardStore, type ShardStore } from '../storage/shard-store.ts';
import { createViewStore, type ViewStore } from '../storage/view-store.ts';

/** See the file's head. */
export interface NodeStores {
  readonly blockStore: BlockStore;
  readonly beaconStore: BeaconStore;
  readonly shardStore: ShardStore;
  readonly evidenceStore: EvidenceStore;
  readonly viewStore: ViewStore;
}

/** The rows in a database. */
export function storesIn(store: KeyValueStore): NodeStores {
  return {
    blockStore: createBlockStore(store),
    beaconStore: createBeaconStore(store),
    shardStore: createShardStore(store),
    evidenceStore: createEvidenceStore(store),
    viewStore: createViewStore(store),
  };
}
