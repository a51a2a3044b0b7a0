// Rows of the one Ethereum chain that wallets see (protocol, section 7): view blocks, and what they are made of: executions of shard blocks, and anchors of
// beacon blocks. Values are bytes; core/view defines them.
import { bigintToBytes, bytesToBigint, concatBytes, uint64At, uint64ToBytes } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Address, Bytes32, ChainId, Height } from '../core/primitives/ids.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import type { KeyValueStore } from './key-value-store.ts';
import { ROW_FAMILY } from './schema.ts';

/** What is shown of an execution, in two parts, because many questions need only one of them. */
export interface ExecutionParts {
  readonly transactions: Uint8Array;
  readonly receipts: Uint8Array;
}

/** Where a transaction stands. */
export interface TransactionPlace {
  readonly number: number;
  readonly index: number;
}

/** A main call that ran and is not shown, how many pointers of its contracts are not written, and where it is held: in an execution, by place. */
export interface AwaitedPointersRow {
  readonly count: number;
  readonly shard: ChainId;
  readonly height: Height;
  readonly index: number;
}

/** A view block as it is stored. */
export interface StoredViewBlock {
  readonly number: number;
  readonly hash: Bytes32;
  readonly header: Uint8Array;
  readonly totals: Uint8Array;
  /** Transaction i is the one with hash `transactionHashes[i]`. */
  readonly transactionHashes: readonly Bytes32[];
  /** Transactions shown in other blocks of which this has messages. */
  readonly originsElsewhere: readonly Bytes32[];
}

/** Most headers that one range read gives. */
export const VIEW_RANGE_MAX = 1_024;
/** View blocks with messages of one transaction that one read gives. */
const MESSAGE_PLACES_MAX = 1_024;
/** Rows of transactions under way that a start reads: backlogs bound them. */
const ROWS_MAX = Number.MAX_SAFE_INTEGER;

const NUMBER_BYTES = 8;
const HASH_BYTES = 32;
/** A block's number and a place in it. */
const PLACE_BYTES = 2 * NUMBER_BYTES;
const HEAD_KEY = Uint8Array.of(ROW_FAMILY.viewHead);

/** Reads and operations on view rows. */
export interface ViewStore {
  /** Operations that store what is shown of the execution of a shard's block. */
  putExecution(shard: ChainId, height: Height, parts: ExecutionParts): readonly RowOperation[];
  getExecution(shard: ChainId, height: Height): ExecutionParts | undefined;
  /** Operations that forget that, of a block that is void. */
  dropExecution(shard: ChainId, height: Height): readonly RowOperation[];
  /** Operations that forget what a transaction was charged in such a block. */
  dropCharged(transactionHash: Bytes32): readonly RowOperation[];
  /** Operations that store what a transaction was charged whose main call left its shard: it is under way until it arrives. */
  putCharged(transactionHash: Bytes32, charged: Uint8Array): readonly RowOperation[];
  /** Operations that say that it has arrived and is shown; what it was charged stays. */
  arrived(transactionHash: Bytes32): readonly RowOperation[];
  getCharged(transactionHash: Bytes32): Uint8Array | undefined;
  /** Hashes of all that are under way. */
  readUnderWay(): Promise<readonly Bytes32[]>;
  /** Operations that store how many pointers a main call waits for; none any more at 0. */
  putAwaited(mainCallId: Bytes32, awaited: AwaitedPointersRow): readonly RowOperation[];
  getAwaited(mainCallId: Bytes32): AwaitedPointersRow | undefined;
  /** All of them. */
  readAwaited(): Promise<readonly AwaitedPointersRow[]>;
  /** Operations that say until which view block a transaction was the lowest of its sender's that were charged and not mined. */
  putMinedLate(sender: Address, number: number, nonce: bigint): readonly RowOperation[];
  /** The nonce of the first such transaction that was mined by a block above this one. */
  readMinedLate(sender: Address, above: number): Promise<bigint | undefined>;
  putAnchor(number: number, anchor: Uint8Array): readonly RowOperation[];
  dropAnchor(number: number): readonly RowOperation[];
  getAnchor(number: number): Uint8Array | undefined;
  /** Operations that store a block, the head from then on. */
  putBlock(block: StoredViewBlock): readonly RowOperation[];
  getSupplyTotals(number: number): Uint8Array | undefined;
  getHeader(number: number): Uint8Array | undefined;
  getNumberByHash(hash: Bytes32): number | undefined;
  getTransactionPlace(transactionHash: Bytes32): TransactionPlace | undefined;
  /** Numbers of blocks with messages of a transaction that is shown in another, ascending. */
  readMessagePlaces(transactionHash: Bytes32): Promise<readonly number[]>;
  /** The highest block stored. */
  getHead(): number | undefined;
  /** Headers from `from` to `to` inclusive, in order, at most `VIEW_RANGE_MAX`. */
  readHeaders(from: number, to: number): Promise<readonly { readonly number: number; readonly header: Uint8Array }[]>;
}

/** View rows in `store`. */
export function createViewStore(store: KeyValueStore): ViewStore {
  const getNumber = (key: Uint8Array): number | undefined => {
    const value = store.get(key);
    invariant(value === undefined || value.length === NUMBER_BYTES, 'the number of a block is stored alone');
    return value === undefined ? undefined : uint64At(value, 0);
  };
  return {
    putExecution: (shard, height, { transactions, receipts }) => [
      { type: 'put', key: executionKey(ROW_FAMILY.shownTransactions, shard, height), value: transactions },
      { type: 'put', key: executionKey(ROW_FAMILY.shownReceipts, shard, height), value: receipts },
    ],
    getExecution: (shard, height) => {
      const transactions = store.get(executionKey(ROW_FAMILY.shownTransactions, shard, height));
      const receipts = store.get(executionKey(ROW_FAMILY.shownReceipts, shard, height));
      invariant((transactions === undefined) === (receipts === undefined), 'an execution is stored whole');
      return transactions === undefined || receipts === undefined ? undefined : { transactions, receipts };
    },
    dropExecution: (shard, height) => [
      { type: 'delete', key: executionKey(ROW_FAMILY.shownTransactions, shard, height) },
      { type: 'delete', key: executionKey(ROW_FAMILY.shownReceipts, shard, height) },
    ],
    dropCharged: (hash) => [
      { type: 'delete', key: hashKey(ROW_FAMILY.chargedTransaction, hash) },
      { type: 'delete', key: hashKey(ROW_FAMILY.underWay, hash) },
    ],
    putCharged: (hash, value) => [
      { type: 'put', key: hashKey(ROW_FAMILY.chargedTransaction, hash), value },
      { type: 'put', key: hashKey(ROW_FAMILY.underWay, hash), value: hash },
    ],
    arrived: (hash) => [{ type: 'delete', key: hashKey(ROW_FAMILY.underWay, hash) }],
    getCharged: (hash) => store.get(hashKey(ROW_FAMILY.chargedTransaction, hash)),
    readUnderWay: () => readAll(store, ROW_FAMILY.underWay),
    putAwaited: (mainCallId, { count, shard, height, index }) => {
      const key = hashKey(ROW_FAMILY.awaitedPointers, mainCallId);
      if (count === 0) return [{ type: 'delete', key }];
      return [{ type: 'put', key, value: concatBytes(...[count, shard, height, index].map(uint64ToBytes)) }];
    },
    getAwaited: (mainCallId) => {
      const value = store.get(hashKey(ROW_FAMILY.awaitedPointers, mainCallId));
      return value === undefined ? undefined : decodeAwaited(value);
    },
    readAwaited: async () => (await readAll(store, ROW_FAMILY.awaitedPointers)).map(decodeAwaited),
    putMinedLate: (sender, number, nonce) => [
      { type: 'put', key: minedLateKey(sender, number), value: bigintToBytes(nonce, NUMBER_BYTES) },
    ],
    readMinedLate: async (sender, above) => {
      const range = { gte: minedLateKey(sender, above + 1), lt: minedLateKey(sender, Number.MAX_SAFE_INTEGER), limit: 1 };
      for await (const { value } of store.iterate(range)) {
        invariant(value.length === NUMBER_BYTES, 'a nonce is stored alone');
        return bytesToBigint(value);
      }
      return undefined;
    },
    putAnchor: (number, value) => [{ type: 'put', key: numberKey(ROW_FAMILY.viewAnchor, number), value }],
    dropAnchor: (number) => [{ type: 'delete', key: numberKey(ROW_FAMILY.viewAnchor, number) }],
    getAnchor: (number) => store.get(numberKey(ROW_FAMILY.viewAnchor, number)),
    putBlock,
    getSupplyTotals: (number) => store.get(numberKey(ROW_FAMILY.supplyTotals, number)),
    getHeader: (number) => store.get(numberKey(ROW_FAMILY.viewHeader, number)),
    getNumberByHash: (hash) => getNumber(hashKey(ROW_FAMILY.viewNumberByHash, hash)),
    getTransactionPlace: (transactionHash) => {
      const value = store.get(hashKey(ROW_FAMILY.transactionPlace, transactionHash));
      invariant(value === undefined || value.length === PLACE_BYTES, 'a stored place is a number and an index');
      return value === undefined ? undefined : { number: uint64At(value, 0), index: uint64At(value, NUMBER_BYTES) };
    },
    readMessagePlaces: async (transactionHash) => {
      const gte = messagePlaceKey(transactionHash, 0);
      const lt = messagePlaceKey(transactionHash, Number.MAX_SAFE_INTEGER);
      const numbers: number[] = [];
      for await (const { key } of store.iterate({ gte, lt, limit: MESSAGE_PLACES_MAX })) numbers.push(uint64At(key, 1 + HASH_BYTES));
      return numbers;
    },
    getHead: () => getNumber(HEAD_KEY),
    readHeaders: (from, to) => readHeaders(store, from, to),
  };
}

function putBlock({ number, hash, header, totals, transactionHashes, originsElsewhere }: StoredViewBlock): readonly RowOperation[] {
  const numberBytes = uint64ToBytes(number);
  const operations: RowOperation[] = [
    { type: 'put', key: numberKey(ROW_FAMILY.viewHeader, number), value: header },
    { type: 'put', key: numberKey(ROW_FAMILY.supplyTotals, number), value: totals },
    { type: 'put', key: hashKey(ROW_FAMILY.viewNumberByHash, hash), value: numberBytes },
    { type: 'put', key: HEAD_KEY, value: numberBytes },
  ];
  pushPlaces(operations, numberBytes, transactionHashes);
  for (const origin of originsElsewhere) operations.push({ type: 'put', key: messagePlaceKey(origin, number), value: new Uint8Array(0) });
  return operations;
}

// All keys and all values are cut from one array each: small arrays of their own cost more than the rows.
function pushPlaces(operations: RowOperation[], numberBytes: Uint8Array, transactionHashes: readonly Bytes32[]): void {
  const keyBytes = 1 + HASH_BYTES;
  const keys = new Uint8Array(transactionHashes.length * keyBytes);
  const values = new Uint8Array(transactionHashes.length * PLACE_BYTES);
  for (let index = 0; index < transactionHashes.length; index++) {
    const [keyAt, valueAt] = [index * keyBytes, index * PLACE_BYTES];
    keys[keyAt] = ROW_FAMILY.transactionPlace;
    keys.set(transactionHashes[index] as Bytes32, keyAt + 1);
    values.set(numberBytes, valueAt);
    for (let at = valueAt + PLACE_BYTES - 1, rest = index; rest > 0; at--, rest = Math.floor(rest / 256)) values[at] = rest % 256;
    const key = keys.subarray(keyAt, keyAt + keyBytes);
    operations.push({ type: 'put', key, value: values.subarray(valueAt, valueAt + PLACE_BYTES) });
  }
}

function decodeAwaited(value: Uint8Array): AwaitedPointersRow {
  invariant(value.length === 4 * NUMBER_BYTES, 'what waits for pointers is a count and a place');
  const [count = 0, shard = 0, height = 0, index = 0] = [0, 1, 2, 3].map((place) => uint64At(value, place * NUMBER_BYTES));
  return { count, shard, height, index };
}

async function readAll(store: KeyValueStore, family: number): Promise<readonly Uint8Array[]> {
  const rows: Uint8Array[] = [];
  for await (const { value } of store.iterate({ gte: Uint8Array.of(family), lt: Uint8Array.of(family + 1), limit: ROWS_MAX }))
    rows.push(value);
  return rows;
}

async function readHeaders(
  store: KeyValueStore,
  from: number,
  to: number,
): Promise<readonly { readonly number: number; readonly header: Uint8Array }[]> {
  const range = { gte: numberKey(ROW_FAMILY.viewHeader, from), lt: numberKey(ROW_FAMILY.viewHeader, to + 1), limit: VIEW_RANGE_MAX };
  const headers: { readonly number: number; readonly header: Uint8Array }[] = [];
  for await (const { key, value } of store.iterate(range)) headers.push({ number: uint64At(key, 1), header: value });
  return headers;
}

function numberKey(family: number, number: number): Uint8Array {
  return concatBytes(Uint8Array.of(family), uint64ToBytes(number));
}

function executionKey(family: number, shard: ChainId, height: Height): Uint8Array {
  return concatBytes(Uint8Array.of(family), uint64ToBytes(shard), uint64ToBytes(height));
}

function hashKey(family: number, hash: Bytes32): Uint8Array {
  return concatBytes(Uint8Array.of(family), hash);
}

function minedLateKey(sender: Address, number: number): Uint8Array {
  return concatBytes(Uint8Array.of(ROW_FAMILY.minedLate), sender, uint64ToBytes(number));
}

function messagePlaceKey(transactionHash: Bytes32, number: number): Uint8Array {
  return concatBytes(Uint8Array.of(ROW_FAMILY.messagePlace), transactionHash, uint64ToBytes(number));
}
