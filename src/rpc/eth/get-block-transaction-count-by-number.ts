// eth_getBlockTransactionCountByNumber.
import { finalBlockOf, readBlockNumberOrTag } from '../block-selector.ts';
import { quantity } from '../json.ts';
import { defineMethod } from '../method.ts';
import { required } from '../parameter.ts';

/** See the file's head. */
export const getBlockTransactionCountByNumber = defineMethod(
  'eth_getBlockTransactionCountByNumber',
  [required('block', readBlockNumberOrTag)],
  async ({ ports, pendingBlock }, selector) => {
    const block = selector.kind === 'pending' ? pendingBlock() : await finalBlockOf(selector, ports);
    return block === undefined ? null : quantity(block.transactions.length);
  },
);
