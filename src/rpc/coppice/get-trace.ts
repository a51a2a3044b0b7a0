// coppice_getTrace: where an effect came from and what it caused. For the hash of a transaction or a system transaction: the message that
// it shows, the messages that led to it from its origin on, and those that it emitted itself. A transaction's own message, and what it emitted, may be under way.
import { bytesToHex } from '../../core/primitives/bytes.ts';
import type { Hex } from '../../core/primitives/ids.ts';
import { formatMessage } from '../format-message.ts';
import { data, type JsonObject } from '../json.ts';
import { type FoundMessage, findShown } from '../message-lookup.ts';
import { defineMethod } from '../method.ts';
import { readHashHex, required } from '../parameter.ts';

/** See the file's head. */
export const getTrace = defineMethod('coppice_getTrace', [required('hash', readHashHex)], async (context, hash) => {
  const found = await findShown(context, hash);
  if (found === undefined) return null;
  const { shown, all } = found;
  const format = (each: FoundMessage): JsonObject => formatMessage(each, context.ports.node);
  const itemId = bytesToHex(shown.message.id);
  return {
    originTransactionHash: data(shown.message.originTransactionHash),
    item: format(shown),
    causes: causesOf(shown, all).map(format),
    effects: all.filter(({ message }) => bytesToHex(message.emitterId) === itemId && bytesToHex(message.id) !== itemId).map(format),
  };
});

// From the origin to the emitter of `item`. A forward keeps its id, so the last message with an id is the one that emitted.
function causesOf({ message: item }: FoundMessage, all: readonly FoundMessage[]): readonly FoundMessage[] {
  const byId = new Map<Hex, FoundMessage>(all.map((found) => [bytesToHex(found.message.id), found]));
  const causes: FoundMessage[] = [];
  let cause = byId.get(bytesToHex(item.emitterId));
  while (cause !== undefined && causes.length < all.length) {
    causes.unshift(cause);
    cause = byId.get(bytesToHex(cause.message.emitterId));
  }
  return causes;
}
