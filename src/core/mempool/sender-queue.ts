// The transactions of one sender, by nonce. Gaps are allowed: what stands before the first gap is pending, what stands after is queued.
import type { Address, Hex, Wei } from '../primitives/ids.ts';
import type { Transaction } from '../protocol/transaction.ts';

/** A transaction in the pool, with what ordering it asks again and again. */
export interface PooledTransaction {
  readonly transaction: Transaction;
  /** The most that it can take from its sender. */
  readonly costWei: Wei;
  /** Order of arrival, which decides between equal prices. */
  readonly arrival: number;
  /** Prices as floating-point numbers: they order the pool, which is each node's own affair, a hundred times faster than bigints. */
  readonly tipPrice: number;
  readonly feePrice: number;
}

/** One sender's queue. `entries` ascend by nonce; never empty while it is in the pool. */
export interface SenderQueue {
  readonly sender: Address;
  readonly senderHex: Hex;
  /** The next nonce as the account was last seen. */
  accountNonce: bigint;
  readonly entries: PooledTransaction[];
}

/** Place of the first entry whose nonce is at least `nonce`. Queues are short (64), and the front or the end is what is asked for. */
export function placeOf(queue: SenderQueue, nonce: bigint): number {
  const last = queue.entries.at(-1);
  if (last === undefined || last.transaction.nonce < nonce) return queue.entries.length;
  let place = 0;
  while (place < queue.entries.length && (queue.entries[place] as PooledTransaction).transaction.nonce < nonce) place++;
  return place;
}

/** The entry with exactly this nonce. */
export function entryAt(queue: SenderQueue, nonce: bigint): PooledTransaction | undefined {
  const entry = queue.entries[placeOf(queue, nonce)];
  return entry?.transaction.nonce === nonce ? entry : undefined;
}

/** The nonce after the unbroken run of entries from `accountNonce` on. */
export function nonceAfterRun(queue: SenderQueue, accountNonce: bigint): bigint {
  const { entries } = queue;
  const first = placeOf(queue, accountNonce);
  const last = entries.at(-1);
  // Nonces ascend, so where they take no more numbers than there are entries, there is no gap: as a rule, and this is asked several times a transaction.
  if (last !== undefined && last.transaction.nonce - accountNonce === BigInt(entries.length - 1 - first))
    return last.transaction.nonce + 1n;
  let next = accountNonce;
  for (let place = first; entries[place]?.transaction.nonce === next; place++) next++;
  return next;
}

/** True when the last entry cannot run until a gap before it is filled. */
export function hasGap(queue: SenderQueue): boolean {
  const last = queue.entries[queue.entries.length - 1];
  return last !== undefined && last.transaction.nonce >= nonceAfterRun(queue, queue.accountNonce);
}

/** Σ cost of the entries from `accountNonce` on, but for the one with nonce `except`. */
export function reservedWei(queue: SenderQueue, accountNonce: bigint, except: bigint): Wei {
  let sum = 0n;
  for (const { transaction, costWei } of queue.entries) {
    if (transaction.nonce >= accountNonce && transaction.nonce !== except) sum += costWei;
  }
  return sum;
}
