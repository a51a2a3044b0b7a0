// eth_getTransactionByBlockNumberAndIndex.
import { finalBlockOf, readBlockNumberOrTag } from '../block-selector.ts';
import { formatViewTransaction } from '../format-transaction.ts';
import { defineMethod } from '../method.ts';
import { readQuantity, required } from '../parameter.ts';

/** See the file's head. */
export const getTransactionByBlockNumberAndIndex = defineMethod(
  'eth_getTransactionByBlockNumberAndIndex',
  [required('block', readBlockNumberOrTag), required('index', readQuantity)],
  async ({ ports, pendingBlock }, selector, index) => {
    const block = selector.kind === 'pending' ? pendingBlock() : await finalBlockOf(selector, ports);
    return block?.transactions[index] === undefined ? null : formatViewTransaction(block, index);
  },
);
