// Executed messages as the coppice_ methods show them.
import { data, dataOrNull, type JsonObject, quantity } from './json.ts';
import { type FoundMessage, shownHashOf } from './message-lookup.ts';

/** A message, where it ran, and the transaction that shows it to Ethereum clients, if one does. */
export function formatMessage(found: FoundMessage): JsonObject {
  const { block, message } = found;
  return {
    id: data(message.id),
    kind: message.kind,
    outcome: message.outcome,
    originTransactionHash: data(message.originTransactionHash),
    emitterId: data(message.emitterId),
    from: data(message.sender),
    fromFamily: data(message.senderFamily),
    to: dataOrNull(message.target),
    toFamily: data(message.targetFamily),
    value: quantity(message.valueWei),
    gas: quantity(message.gasLimit),
    gasUsedByExecution: quantity(message.executionGasUsed),
    hop: quantity(message.hop),
    wave: quantity(message.wave),
    blockNumber: quantity(block.header.number),
    transactionHash: dataOrNull(shownHashOf(found)),
  };
}
