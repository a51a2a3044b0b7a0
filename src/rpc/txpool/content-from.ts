// txpool_contentFrom: one sender's transactions in the mempool.
import { formatByNonce } from '../format-pool.ts';
import { formatPendingTransaction } from '../format-transaction.ts';
import { defineMethod } from '../method.ts';
import { readAddress, required } from '../parameter.ts';

/** See the file's head. */
export const txpoolContentFrom = defineMethod('txpool_contentFrom', [required('address', readAddress)], ({ ports }, address) => {
  const { pending, queued } = ports.mempool.contentFrom(address);
  return { pending: formatByNonce(pending, formatPendingTransaction), queued: formatByNonce(queued, formatPendingTransaction) };
});
