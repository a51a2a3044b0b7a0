// Messages as the coppice_ methods show them.
import { placementOfFamily } from '../core/messaging/placement.ts';
import { shardOfPlacement } from '../core/protocol/shard-id.ts';
import { data, dataOrNull, type JsonObject, quantity } from './json.ts';
import { type FoundMessage, shownHashOf } from './message-lookup.ts';
import type { NodeInfo } from './ports.ts';

/**
 * A message, where it ran or goes, and the transaction that shows it to Ethereum clients, if one does. Of one under way, what only running it can tell is null;
 * of one that ran, since when it had been sent.
 */
export function formatMessage(found: FoundMessage, node: Pick<NodeInfo, 'layout'>): JsonObject {
  const { message } = found;
  const ran = found.status === 'final' ? found : undefined;
  const sent = found.status === 'under-way' ? found : undefined;
  const toShard = sent?.toShard ?? shardOfPlacement(new Set(node.layout().shards), placementOfFamily(message.targetFamily));
  return {
    id: data(message.id),
    kind: message.kind,
    status: found.status,
    outcome: ran?.message.outcome ?? null,
    originTransactionHash: data(message.originTransactionHash),
    emitterId: data(message.emitterId),
    from: data(message.sender),
    fromFamily: data(message.senderFamily),
    to: dataOrNull(message.target),
    toFamily: data(message.targetFamily),
    toShard: quantityOrNull(toShard),
    value: quantity(message.valueWei),
    gas: quantity(message.gasLimit),
    gasUsedByExecution: quantityOrNull(ran?.message.executionGasUsed),
    hop: quantity(message.hop),
    wave: quantityOrNull(ran?.message.wave),
    sentBlockNumber: quantityOrNull(sent?.sentInBlock),
    blockNumber: quantityOrNull(ran?.block.header.number),
    transactionHash: dataOrNull(shownHashOf(found)),
  };
}

function quantityOrNull(value: number | undefined): string | null {
  return value === undefined ? null : quantity(value);
}
