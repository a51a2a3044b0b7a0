// Rows of blocks, certificates and results, by chain and instance. Functions give operations, so that everything of one block is one
// batch; values are bytes, whose encodings belong to the rooms that define them.
import { concatBytes, uint64At, uint64ToBytes } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32, ChainId, Height } from '../core/primitives/ids.ts';
import type { Row, RowOperation } from '../core/state/state-rows.ts';
import type { KeyValueStore } from './key-value-store.ts';
import { ROW_FAMILY } from './schema.ts';

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

/** A block that is kept and not committed. */
export interface PendingBlock {
  readonly height: Height;
  readonly hash: Bytes32;
  readonly block: Uint8Array;
}

/** Most blocks that one range read gives. */
export const BLOCK_RANGE_MAX = 256;
/** A range read ends after the block with which it has this many bytes. */
export const BLOCK_RANGE_BYTES_MAX = 8 * 1024 * 1024;
/** Pending blocks of one instance that one read gives: consensus keeps far fewer. */
const PENDING_MAX = 4_096;
const ROWS_MAX = Number.MAX_SAFE_INTEGER;

const HASH_BYTES = 32;
const CHAIN_BYTES = 8;
// Family, chain, instance.
const PREFIX_BYTES = 1 + CHAIN_BYTES + HASH_BYTES;
const HEIGHT_BYTES = 8;

/** Reads and operations on block rows. */
export interface BlockStore {
  /** Operations that store a committed block and take its pending row away. */
  putCommitted(stored: StoredBlock): readonly RowOperation[];
  /** Operations that store the encoded result of executing the committed block at `place`. */
  putResult(place: BlockPlace, result: Uint8Array): readonly RowOperation[];
  /** Operations that store what ended an instance, encoded: with its closing block, in one. */
  putEnd(chain: ChainId, instanceId: Bytes32, end: Uint8Array): readonly RowOperation[];
  /** That, and of which chain the instance was. */
  getEnd(instanceId: Bytes32): { readonly chain: ChainId; readonly end: Uint8Array } | undefined;
  /** Operations that keep a block that is voted for and not committed: after a restart of all, somebody must still have it. */
  putPending(place: BlockPlace, hash: Bytes32, block: Uint8Array): readonly RowOperation[];
  /** The operation that forgets such a block: one of its height is committed, and it is that one, or void. */
  dropPending(place: BlockPlace, hash: Bytes32): RowOperation;
  /** Operations that say that the beacon took an instance over: from the height of this, its last crosslinked header, or its record, on it is void. */
  putTakenOver(place: BlockPlace): readonly RowOperation[];
  getTakenOver(instanceId: Bytes32): BlockPlace | undefined;
  /**
   * Operations that take the blocks of an instance above `place` away again, results, end and pending ones too: they lost a fork. Where none is left,
   * `place` being that of the start record, the instance has none.
   */
  removeAbove(place: BlockPlace, startHeight: Height): Promise<readonly RowOperation[]>;
  getByHeight(place: BlockPlace): StoredBlock | undefined;
  getByHash(hash: Bytes32): StoredBlock | undefined;
  /** Whether the block with this hash is committed. */
  has(hash: Bytes32): boolean;
  getResult(place: BlockPlace): Uint8Array | undefined;
  /** The highest committed block of an instance. */
  getHead(chain: ChainId, instanceId: Bytes32): BlockPlace | undefined;
  /** Committed blocks from a height on, in order: at most `BLOCK_RANGE_MAX` and about `BLOCK_RANGE_BYTES_MAX`. */
  readRange(from: BlockPlace, count: number): Promise<readonly StoredBlock[]>;
  /** Blocks kept and not committed, by height. */
  readPending(chain: ChainId, instanceId: Bytes32): Promise<readonly PendingBlock[]>;
}

/** Block rows in `store`. */
export function createBlockStore(store: KeyValueStore): BlockStore {
  const getByHeight = (place: BlockPlace): StoredBlock | undefined => {
    const value = store.get(placeKey(ROW_FAMILY.committedBlock, place));
    return value === undefined ? undefined : decodeStored(place, value);
  };
  return {
    putCommitted: (stored) => putCommitted(stored),
    putResult: (place, result) => [{ type: 'put', key: placeKey(ROW_FAMILY.blockResult, place), value: result }],
    putEnd: (chain, instanceId, end) => [{ type: 'put', key: endKey(instanceId), value: concatBytes(uint64ToBytes(chain), end) }],
    getEnd: (instanceId) => {
      const value = store.get(endKey(instanceId));
      return value === undefined ? undefined : { chain: uint64At(value, 0), end: value.slice(CHAIN_BYTES) };
    },
    putPending: (place, hash, block) => [{ type: 'put', key: pendingKey(place, hash), value: block }],
    dropPending: (place, hash) => ({ type: 'delete', key: pendingKey(place, hash) }),
    putTakenOver: (place) => [{ type: 'put', key: takenOverKey(place.instanceId), value: encodePlace(place) }],
    getTakenOver: (instanceId) => {
      const value = store.get(takenOverKey(instanceId));
      return value === undefined ? undefined : decodePlace(value);
    },
    removeAbove: (place, startHeight) => removeAbove(store, place, startHeight),
    getByHeight,
    getByHash: (hash) => {
      const value = store.get(hashKey(hash));
      return value === undefined ? undefined : getByHeight(decodePlace(value));
    },
    has: (hash) => store.get(hashKey(hash)) !== undefined,
    getResult: (place) => store.get(placeKey(ROW_FAMILY.blockResult, place)),
    getHead: (chain, instanceId) => readHead(store, chain, instanceId),
    readRange: (from, count) => readRange(store, from, count),
    readPending: (chain, instanceId) => readPending(store, chain, instanceId),
  };
}

function putCommitted({ place, hash, block, certificates }: StoredBlock): readonly RowOperation[] {
  return [
    {
      type: 'put',
      key: placeKey(ROW_FAMILY.committedBlock, place),
      value: concatBytes(hash, uint64ToBytes(certificates.length), certificates, block),
    },
    { type: 'put', key: hashKey(hash), value: encodePlace(place) },
    { type: 'put', key: headKey(place), value: uint64ToBytes(place.height) },
    { type: 'delete', key: pendingKey(place, hash) },
  ];
}

async function removeAbove(store: KeyValueStore, place: BlockPlace, startHeight: Height): Promise<readonly RowOperation[]> {
  const { instanceId, height } = place;
  const operations: RowOperation[] = [
    height === startHeight ? { type: 'delete', key: headKey(place) } : { type: 'put', key: headKey(place), value: uint64ToBytes(height) },
    { type: 'delete', key: endKey(instanceId) },
  ];
  const pending = { gte: placeKey(ROW_FAMILY.pendingBlock, { ...place, height: 0 }), lt: endOfInstance(ROW_FAMILY.pendingBlock, place) };
  for await (const { key } of store.iterate({ ...pending, limit: ROWS_MAX })) operations.push({ type: 'delete', key });
  for (const family of [ROW_FAMILY.committedBlock, ROW_FAMILY.blockResult]) {
    const gte = placeKey(family, { ...place, height: place.height + 1 });
    for await (const { key, value } of store.iterate({ gte, lt: endOfInstance(family, place), limit: ROWS_MAX })) {
      operations.push({ type: 'delete', key });
      if (family === ROW_FAMILY.committedBlock) operations.push({ type: 'delete', key: hashKey(value.subarray(0, HASH_BYTES)) });
    }
  }
  return operations;
}

function readHead(store: KeyValueStore, chain: ChainId, instanceId: Bytes32): BlockPlace | undefined {
  const place = { chain, instanceId, height: 0 };
  const value = store.get(headKey(place));
  invariant(value === undefined || value.length === HEIGHT_BYTES, 'a stored head is a height');
  return value === undefined ? undefined : { ...place, height: uint64At(value, 0) };
}

async function readRange(store: KeyValueStore, from: BlockPlace, count: number): Promise<readonly StoredBlock[]> {
  const blocks: StoredBlock[] = [];
  let bytes = 0;
  const gte = placeKey(ROW_FAMILY.committedBlock, from);
  const lt = endOfInstance(ROW_FAMILY.committedBlock, from);
  for await (const { key, value } of store.iterate({ gte, lt, limit: Math.min(count, BLOCK_RANGE_MAX) })) {
    blocks.push(decodeStored({ ...from, height: uint64At(key, PREFIX_BYTES) }, value));
    bytes += value.length;
    if (bytes >= BLOCK_RANGE_BYTES_MAX) break;
  }
  return blocks;
}

async function readPending(store: KeyValueStore, chain: ChainId, instanceId: Bytes32): Promise<readonly PendingBlock[]> {
  const place = { chain, instanceId, height: 0 };
  const range = { gte: placeKey(ROW_FAMILY.pendingBlock, place), lt: endOfInstance(ROW_FAMILY.pendingBlock, place), limit: PENDING_MAX };
  const pending: PendingBlock[] = [];
  for await (const row of store.iterate(range)) pending.push(decodePending(row));
  return pending;
}

function decodePending({ key, value }: Row): PendingBlock {
  return { height: uint64At(key, PREFIX_BYTES), hash: key.slice(PREFIX_BYTES + HEIGHT_BYTES), block: value };
}

function decodeStored(place: BlockPlace, value: Uint8Array): StoredBlock {
  const certificatesAt = HASH_BYTES + HEIGHT_BYTES;
  const blockAt = certificatesAt + uint64At(value, HASH_BYTES);
  invariant(blockAt <= value.length, 'a stored block is whole');
  return { place, hash: value.slice(0, HASH_BYTES), certificates: value.slice(certificatesAt, blockAt), block: value.slice(blockAt) };
}

function encodePlace({ chain, instanceId, height }: BlockPlace): Uint8Array {
  return concatBytes(uint64ToBytes(chain), instanceId, uint64ToBytes(height));
}

function decodePlace(value: Uint8Array): BlockPlace {
  const instanceEnd = CHAIN_BYTES + HASH_BYTES;
  invariant(value.length === instanceEnd + HEIGHT_BYTES, 'a stored place is a chain, an instance and a height');
  return { chain: uint64At(value, 0), instanceId: value.slice(CHAIN_BYTES, instanceEnd), height: uint64At(value, instanceEnd) };
}

function placeKey(family: number, place: BlockPlace): Uint8Array {
  return concatBytes(Uint8Array.of(family), encodePlace(place));
}

function pendingKey(place: BlockPlace, hash: Bytes32): Uint8Array {
  return concatBytes(placeKey(ROW_FAMILY.pendingBlock, place), hash);
}

function hashKey(hash: Bytes32): Uint8Array {
  return concatBytes(Uint8Array.of(ROW_FAMILY.blockPlaceByHash), hash);
}

function takenOverKey(instanceId: Bytes32): Uint8Array {
  return concatBytes(Uint8Array.of(ROW_FAMILY.instanceTakenOver), instanceId);
}

function endKey(instanceId: Bytes32): Uint8Array {
  return concatBytes(Uint8Array.of(ROW_FAMILY.instanceEnd), instanceId);
}

function headKey({ chain, instanceId }: BlockPlace): Uint8Array {
  return concatBytes(Uint8Array.of(ROW_FAMILY.instanceHead), uint64ToBytes(chain), instanceId);
}

// The key after every height of an instance: heights stay below 2^53, so their first byte is 0.
function endOfInstance(family: number, { chain, instanceId }: BlockPlace): Uint8Array {
  return concatBytes(Uint8Array.of(family), uint64ToBytes(chain), instanceId, Uint8Array.of(0xff));
}
