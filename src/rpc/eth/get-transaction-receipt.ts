// eth_getTransactionReceipt: null until the transaction is final. There is no receipt that could still change.
import { formatReceipt } from '../format-receipt.ts';
import { defineMethod } from '../method.ts';
import { readHashHex, required } from '../parameter.ts';
import { findTransaction } from '../transaction-lookup.ts';

/** See the file's head. */
export const getTransactionReceipt = defineMethod('eth_getTransactionReceipt', [required('hash', readHashHex)], async ({ ports }, hash) => {
  const found = await findTransaction(ports, hash);
  return found === undefined ? null : formatReceipt(found.block, found.index);
});
