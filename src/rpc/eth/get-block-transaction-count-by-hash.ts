// eth_getBlockTransactionCountByHash.
import { quantity } from '../json.ts';
import { defineMethod } from '../method.ts';
import { readHashHex, required } from '../parameter.ts';

/** See the file's head. */
export const getBlockTransactionCountByHash = defineMethod(
  'eth_getBlockTransactionCountByHash',
  [required('hash', readHashHex)],
  async ({ ports }, hash) => {
    const block = await ports.view.blockByHash(hash);
    return block === undefined ? null : quantity(block.transactions.length);
  },
);
