// coppice_getMessages: every message that came of a transaction: those that are final in the order of blocks and execution, then those under way between shards;
// null while there is none.
import { formatMessage } from '../format-message.ts';
import { findMessages } from '../message-lookup.ts';
import { defineMethod } from '../method.ts';
import { readHashHex, required } from '../parameter.ts';

/** See the file's head. */
export const getMessages = defineMethod('coppice_getMessages', [required('transactionHash', readHashHex)], async (context, hash) => {
  const found = await findMessages(context, hash);
  return found.length === 0 ? null : found.map((each) => formatMessage(each, context.ports.node));
});
