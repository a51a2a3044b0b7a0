// eth_sendRawTransaction: into the mempool, or a reason why not; then nothing is stored.
import { transactionRefused } from '../errors.ts';
import { data } from '../json.ts';
import { defineMethod } from '../method.ts';
import { readData, required } from '../parameter.ts';

/** See the file's head. */
export const sendRawTransaction = defineMethod('eth_sendRawTransaction', [required('transaction', readData)], async ({ ports }, raw) => {
  const submitted = await ports.mempool.submit(raw);
  return submitted.ok ? data(submitted.value) : transactionRefused(submitted.reason, submitted.detail);
});
