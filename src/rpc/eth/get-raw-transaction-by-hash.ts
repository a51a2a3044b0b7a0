// eth_getRawTransactionByHash: the bytes of a transaction, final or waiting.
import { data } from '../json.ts';
import { defineMethod } from '../method.ts';
import { readHashHex, required } from '../parameter.ts';
import { findTransaction } from '../transaction-lookup.ts';

/** See the file's head. */
export const getRawTransactionByHash = defineMethod(
  'eth_getRawTransactionByHash',
  [required('hash', readHashHex)],
  async ({ ports }, hash) => {
    const found = await findTransaction(ports, hash);
    const transaction = found?.block.transactions[found.index]?.transaction ?? ports.mempool.transactionByHash(hash);
    return transaction === undefined ? null : data(transaction.raw);
  },
);
