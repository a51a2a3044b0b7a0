// eth_getTransactionByBlockHashAndIndex.
import { formatViewTransaction } from '../format-transaction.ts';
import { defineMethod } from '../method.ts';
import { readHashHex, readQuantity, required } from '../parameter.ts';

/** See the file's head. */
export const getTransactionByBlockHashAndIndex = defineMethod(
  'eth_getTransactionByBlockHashAndIndex',
  [required('hash', readHashHex), required('index', readQuantity)],
  async ({ ports }, hash, index) => {
    const block = await ports.view.blockByHash(hash);
    return block?.transactions[index] === undefined ? null : formatViewTransaction(block, index);
  },
);
