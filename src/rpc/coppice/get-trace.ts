// coppice_getTrace: where an effect came from and what it caused. For the hash of a transaction or a system transaction: the message that
// it shows, the messages that led to it from its origin on, and those that it emitted itself.
import { bytesToHex } from '../../core/primitives/bytes.ts';
import type { Hex } from '../../core/primitives/ids.ts';
import type { ViewMessage } from '../../core/view/view-block.ts';
import { formatMessage } from '../format-message.ts';
import { data } from '../json.ts';
import { defineMethod } from '../method.ts';
import { readHashHex, required } from '../parameter.ts';
import { findTransaction } from '../transaction-lookup.ts';

/** See the file's head. */
export const getTrace = defineMethod('coppice_getTrace', [required('hash', readHashHex)], async ({ ports }, hash) => {
  const found = await findTransaction(ports, hash);
  const item = found?.block.messages.find((message) => message.transactionIndex === found.index);
  if (found === undefined || item === undefined) return null;
  const { block } = found;
  const itemId = bytesToHex(item.id);
  return {
    originTransactionHash: data(item.originTransactionHash),
    item: formatMessage(block, item),
    causes: causesOf(item, block.messages).map((message) => formatMessage(block, message)),
    effects: block.messages
      .filter((message) => bytesToHex(message.emitterId) === itemId && message !== item)
      .map((message) => formatMessage(block, message)),
  };
});

// From the origin to the emitter of `item`. A forward keeps its id, so the last message with an id is the one that emitted.
function causesOf(item: ViewMessage, messages: readonly ViewMessage[]): readonly ViewMessage[] {
  const byId = new Map<Hex, ViewMessage>(messages.map((message) => [bytesToHex(message.id), message]));
  const causes: ViewMessage[] = [];
  let cause = byId.get(bytesToHex(item.emitterId));
  while (cause !== undefined && causes.length < messages.length) {
    causes.unshift(cause);
    cause = byId.get(bytesToHex(cause.emitterId));
  }
  return causes;
}
