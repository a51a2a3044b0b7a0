// txpool_content: every transaction in the mempool.
import { formatBySender } from '../format-pool.ts';
import { formatPendingTransaction } from '../format-transaction.ts';
import { defineMethod } from '../method.ts';

/** See the file's head. */
export const txpoolContent = defineMethod('txpool_content', [], ({ ports }) => {
  const { pending, queued } = ports.mempool.content();
  return { pending: formatBySender(pending, formatPendingTransaction), queued: formatBySender(queued, formatPendingTransaction) };
});
