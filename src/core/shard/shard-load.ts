// The load of a shard's block (protocol, sections 5 and 6): what moves the base fee, what rations follow from, and what the layout controller
// reads, which also asks how it would divide among descendants.
import { weightOf } from '../messaging/message-weight.ts';
import { placementOf, placementOfFamily } from '../messaging/placement.ts';
import { type ChainId, ROOT_SHARD } from '../primitives/ids.ts';
import type { Load } from '../protocol/block.ts';
import { LOAD_DESCENDANTS } from '../protocol/limits.ts';
import type { LoadEntry } from '../protocol/load-type.ts';
import type { Message } from '../protocol/message.ts';
import { depthOf, isUnder, type Placement, SHARD_DEPTH_MAX } from '../protocol/shard-id.ts';
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

/** Levels of the descendants that a load names. */
const LOAD_LEVELS = depthOf(LOAD_DESCENDANTS + 1);

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
  const taken = gasBelow(
    shard,
    inbox.map((message) => ({ placement: placementOf(message), gas: weightOf(message) })),
  );
  const bought = gasBelow(
    shard,
    transactions.map(({ sender, gasLimit }) => ({ placement: placementOfFamily(sender), gas: gasLimit })),
  );
  const gasAt = (node: ChainId): number => (taken[node] as number) + (bought[node] as number);
  const whole: LoadEntry = { gas: gasAt(ROOT_SHARD), backlog, stateLeaves: leafCount };
  const descendants: LoadEntry[] = [];
  // By their numbers in the shard's subtree, as if that were the whole tree.
  const backlogs = [0, backlog];
  for (let node = 2; descendants.length < LOAD_DESCENDANTS; node++) {
    if (node % 2 === 0) backlogs.push(...halvesOf(backlogs[node / 2] as number, taken[node] as number, taken[node + 1] as number));
    const isTooDeep = depthOf(shard) + depthOf(node) > SHARD_DEPTH_MAX;
    const stateLeaves = leafCounts[descendants.length] ?? 0;
    descendants.push(
      isTooDeep ? { gas: 0, backlog: 0, stateLeaves } : { gas: gasAt(node), backlog: backlogs[node] as number, stateLeaves },
    );
  }
  return { whole, descendants };
}

// A backlog in two, as the weights that the halves took.
function halvesOf(backlog: number, ofLeft: number, ofRight: number): readonly [number, number] {
  const [part, all] = ofLeft + ofRight === 0 ? [1, 2] : [ofLeft, ofLeft + ofRight];
  // The product may have more than 53 bits.
  const leftBacklog = Number((BigInt(backlog) * BigInt(part)) / BigInt(all));
  return [leftBacklog, backlog - leftBacklog];
}

// The gas under a shard and each of its descendants that a load names, by their numbers in its subtree; nothing where they are too deep.
function gasBelow(shard: ChainId, placed: readonly Placed[]): readonly number[] {
  const sums = new Array<number>(LOAD_DESCENDANTS + 2).fill(0);
  const depth = depthOf(shard);
  const levels = Math.min(LOAD_LEVELS, SHARD_DEPTH_MAX - depth);
  const first = 2 ** levels;
  for (const { placement, gas } of placed) {
    if (!isUnder(placement, shard)) continue;
    const node = first + ((placement >>> (SHARD_DEPTH_MAX - depth - levels)) & (first - 1));
    sums[node] = (sums[node] as number) + gas;
  }
  for (let node = first - 1; node >= 1; node--) sums[node] = (sums[2 * node] as number) + (sums[2 * node + 1] as number);
  return sums;
}
