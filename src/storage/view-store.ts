// Rows of view blocks: the one Ethereum chain that wallets see (protocol, section 7). Values are bytes; core/view defines them.
import type { Bytes32 } from '../core/primitives/ids.ts';
import type { RowOperation } from '../core/state/state-rows.ts';

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
export const VIEW_RANGE_MAX = 1024;

/** Reads and operations on view rows. */
export interface ViewStore {
  /** Operations that store block `number`; transaction i is the one with hash `transactionHashes[i]`. */
  putBlock(number: number, hash: Bytes32, parts: ViewBlockParts, transactionHashes: readonly Bytes32[]): readonly RowOperation[];
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
