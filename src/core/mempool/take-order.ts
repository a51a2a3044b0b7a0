// Which transactions the next block takes: the best effective tip first, each sender's in the order of nonces, only what its balance in
// the parent's post-state covers (protocol, section 5), within gas, bytes and count.
//
// A heap holds one candidate a sender. Accounts are read only of senders that come to the top, since reading costs most: 760
// transactions out of 16,000 take under 5 ms.
import type { Address, Hex, Wei } from '../primitives/ids.ts';
import type { Transaction } from '../protocol/transaction.ts';
import { type PooledTransaction, placeOf, type SenderQueue } from './sender-queue.ts';

/** What a block has room for. */
export interface BlockRoom {
  readonly gasLimit: number;
  /** Of the body: each transaction takes its length and 4 bytes for its offset. */
  readonly bytesMax: number;
  readonly countMax: number;
}

/** The part of an account that inclusion depends on. */
export interface SenderState {
  readonly nonce: bigint;
  readonly balanceWei: Wei;
}

/** What the block's transactions are chosen by. */
export interface TakeInput {
  readonly room: BlockRoom;
  /** In the parent's post-state; undefined where there is no account. */
  readonly accountOf: (sender: Address) => SenderState | undefined;
  /** The price that the block's transactions pay: its parent header's. */
  readonly baseFeePerGasWei: Wei;
  /** Hashes of what is in blocks that are proposed and not committed yet: these senders are looked at past them. */
  readonly inFlight: ReadonlySet<Hex>;
}

interface Candidate {
  readonly queue: SenderQueue;
  place: number;
  entry: PooledTransaction;
  effectiveTip: number;
  /** Set when the account was read: what it can still spend. */
  remainingWei: Wei | undefined;
}

const OFFSET_BYTES = 4;
const CHEAPEST_TRANSACTION_GAS = 21_000;

/** See the file's head. */
export function takeForBlock(queues: Iterable<SenderQueue>, input: TakeInput): Transaction[] {
  const { room, accountOf, baseFeePerGasWei, inFlight } = input;
  const baseFee = Number(baseFeePerGasWei);
  const heap = candidatesOf(queues, baseFee, inFlight);
  const taken: Transaction[] = [];
  let gasLeft = room.gasLimit;
  let bytesLeft = room.bytesMax;
  while (heap.length > 0 && taken.length < room.countMax && gasLeft >= CHEAPEST_TRANSACTION_GAS) {
    const best = heap[0] as Candidate;
    if (best.remainingWei === undefined) {
      const account = accountOf(best.queue.sender);
      best.remainingWei = account?.balanceWei ?? 0n;
      const place = placeOf(best.queue, account?.nonce ?? 0n);
      const isAtAccountNonce = best.queue.entries[place]?.transaction.nonce === (account?.nonce ?? 0n);
      if (place !== best.place || !isAtAccountNonce) {
        moveTo(heap, isAtAccountNonce ? place : best.queue.entries.length, baseFee);
        continue;
      }
    }
    const { transaction, costWei } = best.entry;
    const bytes = transaction.raw.length + OFFSET_BYTES;
    const isIncludable = transaction.maxFeePerGasWei >= baseFeePerGasWei && costWei <= best.remainingWei;
    if (!isIncludable || transaction.gasLimit > gasLeft || bytes > bytesLeft) {
      moveTo(heap, best.queue.entries.length, baseFee);
      continue;
    }
    taken.push(transaction);
    gasLeft -= transaction.gasLimit;
    bytesLeft -= bytes;
    best.remainingWei -= costWei;
    const next = best.queue.entries[best.place + 1];
    const follows = next?.transaction.nonce === transaction.nonce + 1n;
    moveTo(heap, follows ? best.place + 1 : best.queue.entries.length, baseFee);
  }
  return taken;
}

/** What a gas of this transaction would pay above the base fee; negative when it cannot pay that. */
export function effectiveTipOf(entry: PooledTransaction, baseFee: number): number {
  return Math.min(entry.tipPrice, entry.feePrice - baseFee);
}

function candidatesOf(queues: Iterable<SenderQueue>, baseFee: number, inFlight: ReadonlySet<Hex>): Candidate[] {
  const heap: Candidate[] = [];
  for (const queue of queues) {
    let place = 0;
    while (place < queue.entries.length && inFlight.has((queue.entries[place] as PooledTransaction).transaction.hashHex)) place++;
    const entry = queue.entries[place];
    if (entry === undefined) continue;
    const effectiveTip = effectiveTipOf(entry, baseFee);
    if (effectiveTip >= 0) heap.push({ queue, place, entry, effectiveTip, remainingWei: undefined });
  }
  for (let i = (heap.length >> 1) - 1; i >= 0; i--) sink(heap, i);
  return heap;
}

// Puts the top candidate at another place of its queue, or out of the heap when that is behind the queue's end.
function moveTo(heap: Candidate[], place: number, baseFee: number): void {
  const top = heap[0] as Candidate;
  const entry = top.queue.entries[place];
  if (entry === undefined) {
    const last = heap.pop() as Candidate;
    if (heap.length > 0) heap[0] = last;
  } else {
    top.place = place;
    top.entry = entry;
    top.effectiveTip = effectiveTipOf(entry, baseFee);
  }
  sink(heap, 0);
}

function sink(heap: Candidate[], from: number): void {
  let parent = from;
  for (;;) {
    const left = 2 * parent + 1;
    let best = parent;
    if (left < heap.length && goesBefore(heap[left] as Candidate, heap[best] as Candidate)) best = left;
    if (left + 1 < heap.length && goesBefore(heap[left + 1] as Candidate, heap[best] as Candidate)) best = left + 1;
    if (best === parent) return;
    const moved = heap[parent] as Candidate;
    heap[parent] = heap[best] as Candidate;
    heap[best] = moved;
    parent = best;
  }
}

function goesBefore(a: Candidate, b: Candidate): boolean {
  return a.effectiveTip === b.effectiveTip ? a.entry.arrival < b.entry.arrival : a.effectiveTip > b.effectiveTip;
}
