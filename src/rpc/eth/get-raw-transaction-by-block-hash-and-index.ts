// eth_getRawTransactionByBlockHashAndIndex.
import { data } from '../json.ts';
import { defineMethod } from '../method.ts';
import { readHashHex, readQuantity, required } from '../parameter.ts';

/** See the file's head. */
export const getRawTransactionByBlockHashAndIndex = defineMethod(
  'eth_getRawTransactionByBlockHashAndIndex',
  [required('hash', readHashHex), required('index', readQuantity)],
  async ({ ports }, hash, index) => {
    const view = (await ports.view.blockByHash(hash))?.transactions[index];
    return view === undefined ? null : data(view.transaction.raw);
  },
);
