// txpool_inspect: the mempool as lines for people, as geth writes them.
import type { Transaction } from '../../core/protocol/transaction.ts';
import { formatBySender } from '../format-pool.ts';
import { data } from '../json.ts';
import { defineMethod } from '../method.ts';

/** See the file's head. */
export const txpoolInspect = defineMethod('txpool_inspect', [], ({ ports }) => {
  const { pending, queued } = ports.mempool.content();
  return { pending: formatBySender(pending, summary), queued: formatBySender(queued, summary) };
});

function summary(transaction: Transaction): string {
  const target = transaction.to === undefined ? 'contract creation' : data(transaction.to);
  return `${target}: ${transaction.valueWei} wei + ${transaction.gasLimit} gas × ${transaction.maxFeePerGasWei} wei`;
}
