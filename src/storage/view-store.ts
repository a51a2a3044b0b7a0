// Rows of view blocks: the one Ethereum chain that wallets see (protocol, section 7). Values are bytes; core/view defines them.
import { concatBytes, uint64At, uint64ToBytes } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32 } from '../core/primitives/ids.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import type { KeyValueStore } from './key-value-store.ts';
import { ROW_FAMILY } from './schema.ts';

/** A view block in three parts, because most questions need only one of them. */
export interface ViewBlockParts {
  readonly header: Uint8Array;
  readonly transactions: Uint8Array;
  readonly receipts: Uint8Array;
}

/** Where a transaction stands. */
export interface TransactionPlace {
  readonly number: number;
  readonly index: number;
}

/** Most headers that one range read gives. */
export const VIEW_RANGE_MAX = 1_024;

const NUMBER_BYTES = 8;
const HEAD_KEY = Uint8Array.of(ROW_FAMILY.viewHead);

/** Reads and operations on view rows. */
export interface ViewStore {
  /** Operations that store block `number`, the head from then on; transaction i is the one with hash `transactionHashes[i]`. */
  putBlock(number: number, hash: Bytes32, parts: ViewBlockParts, transactionHashes: readonly Bytes32[]): readonly RowOperation[];
  /** Operations that store the encoded sums of fees after block `number`. */
  putSupplyTotals(number: number, totals: Uint8Array): readonly RowOperation[];
  getSupplyTotals(number: number): Uint8Array | undefined;
  getHeader(number: number): Uint8Array | undefined;
  getTransactions(number: number): Uint8Array | undefined;
  getReceipts(number: number): Uint8Array | undefined;
  getNumberByHash(hash: Bytes32): number | undefined;
  getTransactionPlace(transactionHash: Bytes32): TransactionPlace | undefined;
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
    putBlock,
    putSupplyTotals: (number, value) => [{ type: 'put', key: numberKey(ROW_FAMILY.supplyTotals, number), value }],
    getSupplyTotals: (number) => store.get(numberKey(ROW_FAMILY.supplyTotals, number)),
    getHeader: (number) => store.get(numberKey(ROW_FAMILY.viewHeader, number)),
    getTransactions: (number) => store.get(numberKey(ROW_FAMILY.viewTransactions, number)),
    getReceipts: (number) => store.get(numberKey(ROW_FAMILY.viewReceipts, number)),
    getNumberByHash: (hash) => getNumber(hashKey(ROW_FAMILY.viewNumberByHash, hash)),
    getTransactionPlace: (transactionHash) => {
      const value = store.get(hashKey(ROW_FAMILY.transactionPlace, transactionHash));
      invariant(value === undefined || value.length === 2 * NUMBER_BYTES, 'a stored place is a number and an index');
      return value === undefined ? undefined : { number: uint64At(value, 0), index: uint64At(value, NUMBER_BYTES) };
    },
    getHead: () => getNumber(HEAD_KEY),
    readHeaders: (from, to) => readHeaders(store, from, to),
  };
}

function putBlock(number: number, hash: Bytes32, parts: ViewBlockParts, transactionHashes: readonly Bytes32[]): readonly RowOperation[] {
  const numberBytes = uint64ToBytes(number);
  const operations: RowOperation[] = [
    { type: 'put', key: numberKey(ROW_FAMILY.viewHeader, number), value: parts.header },
    { type: 'put', key: numberKey(ROW_FAMILY.viewTransactions, number), value: parts.transactions },
    { type: 'put', key: numberKey(ROW_FAMILY.viewReceipts, number), value: parts.receipts },
    { type: 'put', key: hashKey(ROW_FAMILY.viewNumberByHash, hash), value: numberBytes },
    { type: 'put', key: HEAD_KEY, value: numberBytes },
  ];
  transactionHashes.forEach((transactionHash, index) => {
    operations.push({
      type: 'put',
      key: hashKey(ROW_FAMILY.transactionPlace, transactionHash),
      value: concatBytes(numberBytes, uint64ToBytes(index)),
    });
  });
  return operations;
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

function hashKey(family: number, hash: Bytes32): Uint8Array {
  return concatBytes(Uint8Array.of(family), hash);
}
