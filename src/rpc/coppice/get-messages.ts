// coppice_getMessages: every message that came of a transaction, in execution order; null while the transaction is not final.
import { bytesToHex } from '../../core/primitives/bytes.ts';
import { formatMessage } from '../format-message.ts';
import { defineMethod } from '../method.ts';
import { readHashHex, required } from '../parameter.ts';
import { findTransaction } from '../transaction-lookup.ts';

/** See the file's head. */
export const getMessages = defineMethod('coppice_getMessages', [required('transactionHash', readHashHex)], async ({ ports }, hash) => {
  const found = await findTransaction(ports, hash);
  if (found === undefined) return null;
  const { block } = found;
  return block.messages
    .filter((message) => bytesToHex(message.originTransactionHash) === hash)
    .map((message) => formatMessage(block, message));
});
