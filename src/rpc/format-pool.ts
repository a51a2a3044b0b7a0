// The mempool's contents as txpool_ methods show them: by sender, then by nonce in decimal.
import { hexToBytes } from '../core/primitives/bytes.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import { data, type JsonObject, type JsonValue } from './json.ts';
import type { SenderTransactions } from './ports.ts';

/** Transactions of one sender by nonce. */
export function formatByNonce(transactions: readonly Transaction[], format: (transaction: Transaction) => JsonValue): JsonObject {
  return Object.fromEntries(transactions.map((transaction) => [transaction.nonce.toString(), format(transaction)]));
}

/** All senders' transactions. */
export function formatBySender(senders: SenderTransactions, format: (transaction: Transaction) => JsonValue): JsonObject {
  return Object.fromEntries(
    [...senders].map(([sender, transactions]) => [data(hexToBytes(sender) as Uint8Array), formatByNonce(transactions, format)]),
  );
}
