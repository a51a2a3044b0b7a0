// eth_getRawTransactionByBlockNumberAndIndex.
import { finalBlockOf, readBlockNumberOrTag } from '../block-selector.ts';
import { data } from '../json.ts';
import { defineMethod } from '../method.ts';
import { readQuantity, required } from '../parameter.ts';

/** See the file's head. */
export const getRawTransactionByBlockNumberAndIndex = defineMethod(
  'eth_getRawTransactionByBlockNumberAndIndex',
  [required('block', readBlockNumberOrTag), required('index', readQuantity)],
  async ({ ports, pendingBlock }, selector, index) => {
    const block = selector.kind === 'pending' ? pendingBlock() : await finalBlockOf(selector, ports);
    const view = block?.transactions[index];
    return view === undefined ? null : data(view.transaction.raw);
  },
);
