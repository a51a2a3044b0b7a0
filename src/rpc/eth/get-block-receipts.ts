// eth_getBlockReceipts: all receipts of a block. `pending` has none: nothing of it has run for certain.
import { finalBlockOf, readBlockSelector } from '../block-selector.ts';
import { formatReceipt } from '../format-receipt.ts';
import { defineMethod } from '../method.ts';
import { required } from '../parameter.ts';

/** See the file's head. */
export const getBlockReceipts = defineMethod(
  'eth_getBlockReceipts',
  [required('block', readBlockSelector)],
  async ({ ports }, selector) => {
    const block = await finalBlockOf(selector, ports);
    return block === undefined ? null : block.receipts.map((_receipt, index) => formatReceipt(block, index));
  },
);
