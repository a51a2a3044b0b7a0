// Rows of blocks, certificates and results, by chain and instance. Functions give operations, so that everything of one block is one
// batch; values are bytes, whose encodings belong to the rooms that define them.
import type { Bytes32, ChainId, Height } from '../core/primitives/ids.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import type { KeyValueStore } from './key-value-store.ts';

/** Where a committed block stands. */
export interface BlockPlace {
  readonly chain: ChainId;
  readonly instanceId: Bytes32;
  readonly height: Height;
}

/** A committed block with what makes it final. */
export interface StoredBlock {
  readonly place: BlockPlace;
  readonly hash: Bytes32;
  /** Encoded header and body. */
  readonly block: Uint8Array;
  /** Encoded QC and CC. */
  readonly certificates: Uint8Array;
}

/** Most blocks that one range read gives. */
export const BLOCK_RANGE_MAX = 256;
/** A range read ends after the block with which it has this many bytes. */
export const BLOCK_RANGE_BYTES_MAX = 8 * 1024 * 1024;

/** Reads and operations on block rows. */
export interface BlockStore {
  /** Operations that store a committed block and take its pending row away. */
  putCommitted(stored: StoredBlock): readonly RowOperation[];
  /** Operations that store the encoded result of executing the committed block at `place`. */
  putResult(place: BlockPlace, result: Uint8Array): readonly RowOperation[];
  /** Operations that keep a block that is voted for and not committed: after a restart of all, somebody must still have it. */
  putPending(place: BlockPlace, hash: Bytes32, block: Uint8Array): readonly RowOperation[];
  /** Operations that forget pending blocks of an instance up to and including a height (they are committed or void). */
  dropPending(chain: ChainId, instanceId: Bytes32, upTo: Height): Promise<readonly RowOperation[]>;
  /** Operations that take committed blocks above `height` away again, results too (rollback to the last anchored). */
  removeAbove(place: BlockPlace): Promise<readonly RowOperation[]>;
  getByHeight(place: BlockPlace): StoredBlock | undefined;
  getByHash(hash: Bytes32): StoredBlock | undefined;
  getResult(place: BlockPlace): Uint8Array | undefined;
  /** The highest committed block of an instance. */
  getHead(chain: ChainId, instanceId: Bytes32): BlockPlace | undefined;
  /** Committed blocks from a height on, in order: at most `BLOCK_RANGE_MAX` and about `BLOCK_RANGE_BYTES_MAX`. */
  readRange(from: BlockPlace, count: number): Promise<readonly StoredBlock[]>;
  /** Blocks kept and not committed, by height. */
  readPending(
    chain: ChainId,
    instanceId: Bytes32,
  ): Promise<readonly { readonly height: Height; readonly hash: Bytes32; readonly block: Uint8Array }[]>;
}

/** How block rows are made over a database. */
export type CreateBlockStore = (store: KeyValueStore) => BlockStore;
