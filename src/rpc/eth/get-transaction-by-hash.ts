// eth_getTransactionByHash: a final transaction with its place, or one that waits or runs, whose place is null.
import { formatPendingTransaction, formatViewTransaction } from '../format-transaction.ts';
import { defineMethod } from '../method.ts';
import { readHashHex, required } from '../parameter.ts';
import { findTransaction } from '../transaction-lookup.ts';

/** See the file's head. */
export const getTransactionByHash = defineMethod('eth_getTransactionByHash', [required('hash', readHashHex)], async ({ ports }, hash) => {
  // Looked for first: what waits now may be mined, and wait no more, before its place is known to be none.
  const waiting = ports.mempool.transactionByHash(hash);
  const found = await findTransaction(ports, hash);
  if (found !== undefined) return formatViewTransaction(found.block, found.index);
  return waiting === undefined ? null : formatPendingTransaction(waiting);
});
