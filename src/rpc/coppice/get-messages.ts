// coppice_getMessages: every message that came of a transaction and is final, in the order of blocks and execution; null where there is none yet.
import { formatMessage } from '../format-message.ts';
import { findMessages } from '../message-lookup.ts';
import { defineMethod } from '../method.ts';
import { readHashHex, required } from '../parameter.ts';

/** See the file's head. */
export const getMessages = defineMethod('coppice_getMessages', [required('transactionHash', readHashHex)], async ({ ports }, hash) => {
  const found = await findMessages(ports, hash);
  return found.length === 0 ? null : found.map(formatMessage);
});
