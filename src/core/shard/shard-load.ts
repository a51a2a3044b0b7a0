// The load of a shard's block (protocol, sections 5 and 6): what moves the base fee, what rations follow from, and what the layout controller
// reads, which also asks how it would divide among descendants.
import { weightOf } from '../messaging/message-weight.ts';
import { placementOf, placementOfFamily } from '../messaging/placement.ts';
import type { ChainId } from '../primitives/ids.ts';
import type { Load } from '../protocol/block.ts';
import { LOAD_DESCENDANTS } from '../protocol/limits.ts';
import type { LoadEntry } from '../protocol/load-type.ts';
import type { Message } from '../protocol/message.ts';
import { childrenOf, isShardId, isUnder, type Placement } from '../protocol/shard-id.ts';
import type { Transaction } from '../protocol/transaction.ts';

/** What a load is of. */
export interface LoadInput {
  readonly shard: ChainId;
  readonly transactions: readonly Transaction[];
  /** What the block took of other shards' messages. */
  readonly inbox: readonly Message[];
  /** After the block, at its own reference. */
  readonly backlog: number;
  /** Of the state that the block leads to. */
  readonly leafCount: number;
  /** Of the descendants, level by level, left to right (state-version.ts, `leafCounts`). */
  readonly leafCounts: readonly number[];
}

interface Placed {
  readonly placement: Placement;
  readonly gas: number;
}

/** Inbox gas: the weight that a block took of the share. */
export function inboxGasOf(inbox: readonly Message[]): number {
  return inbox.reduce((sum, message) => sum + weightOf(message), 0);
}

/**
 * Gas is what transactions buy, at their senders' places, and what the inbox weighs, at its targets'. Backlog cannot be told by places, for only
 * its weight is known: it divides between two halves as the weight of what the block took of the inbox, evenly where that is nothing.
 * Descendants deeper than a shard may be are never asked for: gas and backlog of these are 0.
 */
export function loadOfBlock({ shard, transactions, inbox, backlog, leafCount, leafCounts }: LoadInput): Load {
  const taken = inbox.map((message): Placed => ({ placement: placementOf(message), gas: weightOf(message) }));
  const bought = transactions.map(({ sender, gasLimit }): Placed => ({ placement: placementOfFamily(sender), gas: gasLimit }));
  const whole: LoadEntry = { gas: gasUnder(shard, bought) + gasUnder(shard, taken), backlog, stateLeaves: leafCount };
  const descendants: LoadEntry[] = [];
  let level: readonly { readonly id: ChainId; readonly backlog: number }[] = [{ id: shard, backlog }];
  while (descendants.length < LOAD_DESCENDANTS) {
    level = level.flatMap((node) => halvesOf(node.id, node.backlog, taken));
    for (const { id, backlog: ofNode } of level) {
      const stateLeaves = leafCounts[descendants.length] ?? 0;
      descendants.push(
        isShardId(id)
          ? { gas: gasUnder(id, bought) + gasUnder(id, taken), backlog: ofNode, stateLeaves }
          : { gas: 0, backlog: 0, stateLeaves },
      );
    }
  }
  return { whole, descendants };
}

function halvesOf(node: ChainId, backlog: number, taken: readonly Placed[]): { readonly id: ChainId; readonly backlog: number }[] {
  const [left, right] = childrenOf(node);
  const [ofLeft, ofRight] = isShardId(left) ? [gasUnder(left, taken), gasUnder(right, taken)] : [0, 0];
  const [part, all] = ofLeft + ofRight === 0 ? [1, 2] : [ofLeft, ofLeft + ofRight];
  // The product may have more than 53 bits.
  const leftBacklog = Number((BigInt(backlog) * BigInt(part)) / BigInt(all));
  return [
    { id: left, backlog: leftBacklog },
    { id: right, backlog: backlog - leftBacklog },
  ];
}

function gasUnder(shard: ChainId, placed: readonly Placed[]): number {
  return placed.reduce((sum, { placement, gas }) => (isUnder(placement, shard) ? sum + gas : sum), 0);
}
