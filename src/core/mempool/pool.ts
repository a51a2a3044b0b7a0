// The pool of transactions that wait for a block. Its bounds are in genesis: transactions, bytes, transactions of one sender.
//
// What it upholds: nothing that is refused is stored; a sender's transactions keep the order of nonces; what was proposed stays until
// a block with it (or with another of its nonce) is committed, so a leader change loses nothing; when the pool is full the
// cheapest go, a sender's last before its first, so that eviction makes no gaps.
import { maximumCostWei } from '../execution/transaction-checks.ts';
import { invariant } from '../primitives/errors.ts';
import type { Address, Hex, Wei } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';
import type { Transaction } from '../protocol/transaction.ts';
import type { Account } from '../state/account.ts';
import { type AdmissionRefusal, checkAdmission, checkAgainstQueue } from './admission.ts';
import { entryAt, hasGap, nonceAfterRun, type PooledTransaction, placeOf, type SenderQueue } from './sender-queue.ts';
import { effectiveTipOf, type TakeInput, takeForBlock } from './take-order.ts';

/** A full pool makes room for this share of itself at once, so that the search for the cheapest is paid by many admissions. */
const EVICTION_SHARE = 64;

/** What became of an admitted transaction. */
export interface Admission {
  /** Transactions that can run now and could not before: this one, and those that waited for it. Empty when it is queued. */
  readonly becamePending: readonly Transaction[];
  /** What it took the place of. */
  readonly replaced: Transaction | undefined;
}

/** Transactions of each sender, ascending by nonce. */
export type TransactionsBySender = ReadonlyMap<Hex, readonly Transaction[]>;

/** See the file's head. */
export class Mempool {
  readonly #parameters: NetworkParameters;
  readonly #byHash = new Map<Hex, PooledTransaction>();
  readonly #bySender = new Map<Hex, SenderQueue>();
  /** Senders with transactions behind a gap, the longest waiting first. */
  readonly #gapped = new Set<SenderQueue>();
  #bytes = 0;
  #gas = 0;
  #arrivals = 0;
  #baseFee: number;
  /** Effective tip that a newcomer must exceed while the pool is near its bounds. */
  #tipFloor = Number.NEGATIVE_INFINITY;

  constructor(parameters: NetworkParameters) {
    this.#parameters = parameters;
    this.#baseFee = Number(parameters.baseFeePerGasWeiMin);
  }

  /** Transactions, bytes of them, and the gas that they would buy. */
  get size(): { readonly transactions: number; readonly bytes: number; readonly gas: number } {
    return { transactions: this.#byHash.size, bytes: this.#bytes, gas: this.#gas };
  }

  /** Takes in a transaction whose signature is checked. `account` is its sender's in the newest executed state. */
  admit(transaction: Transaction, account: Account | undefined): Verdict<Admission, AdmissionRefusal> {
    if (this.#byHash.has(transaction.hashHex)) return refuse('already-known');
    const checked = checkAdmission(transaction, account, this.#parameters);
    if (!checked.ok) return checked;
    const queue = this.#bySender.get(transaction.senderHex);
    const costWei = maximumCostWei(transaction);
    const fits = checkAgainstQueue(transaction, costWei, account, queue);
    if (!fits.ok) return fits;
    const entry = this.#entryOf(transaction, costWei);
    const room = this.#makeRoom(entry, account?.nonce ?? 0n, queue);
    if (!room.ok) return room;
    return accept(this.#insert(entry, account?.nonce ?? 0n));
  }

  /** What the next block takes, in order. Nothing leaves the pool by it. */
  take(input: TakeInput): Transaction[] {
    return takeForBlock(this.#bySender.values(), input);
  }

  /** Drops what a committed block made impossible: its transactions, and others of their nonces. The next block pays `baseFeePerGasWei`. */
  onBlock(committed: readonly Transaction[], baseFeePerGasWei: Wei): void {
    this.#baseFee = Number(baseFeePerGasWei);
    for (const { senderHex, nonce } of committed) {
      const queue = this.#bySender.get(senderHex);
      if (queue === undefined) continue;
      if (nonce >= queue.accountNonce) queue.accountNonce = nonce + 1n;
      const included = queue.entries.splice(0, placeOf(queue, nonce + 1n));
      for (const entry of included) this.#forget(entry);
      this.#settle(queue);
    }
    if (!this.#isNearBounds()) this.#tipFloor = Number.NEGATIVE_INFINITY;
  }

  /**
   * The blocks that charged these transactions are void: they wait again, as far as there is room, and what waits of their senders is judged by what their
   * accounts are now.
   */
  onVoid(transactions: readonly Transaction[], accountOf: (sender: Address) => Account | undefined, baseFeePerGasWei: Wei): void {
    this.#baseFee = Number(baseFeePerGasWei);
    for (const queue of this.#bySender.values()) {
      queue.accountNonce = accountOf(queue.sender)?.nonce ?? 0n;
      this.#settle(queue);
    }
    for (const transaction of transactions) this.admit(transaction, accountOf(transaction.sender));
  }

  /** A transaction that waits. */
  get(hashHex: Hex): Transaction | undefined {
    return this.#byHash.get(hashHex)?.transaction;
  }

  /** The nonce after all that is executed (`accountNonce`) and waits without a gap. */
  pendingNonce(senderHex: Hex, accountNonce: bigint): bigint {
    const queue = this.#bySender.get(senderHex);
    return queue === undefined ? accountNonce : nonceAfterRun(queue, accountNonce);
  }

  /** How many can run, and how many wait for a gap to be filled. */
  status(): { readonly pending: number; readonly queued: number } {
    let queued = 0;
    for (const queue of this.#gapped) queued += queue.entries.length - firstQueuedPlace(queue);
    return { pending: this.#byHash.size - queued, queued };
  }

  /** Everything, by sender in the order of their arrival. */
  content(): { readonly pending: TransactionsBySender; readonly queued: TransactionsBySender } {
    const pending = new Map<Hex, readonly Transaction[]>();
    const queued = new Map<Hex, readonly Transaction[]>();
    for (const senderHex of this.#bySender.keys()) {
      const parts = this.contentFrom(senderHex);
      if (parts.pending.length > 0) pending.set(senderHex, parts.pending);
      if (parts.queued.length > 0) queued.set(senderHex, parts.queued);
    }
    return { pending, queued };
  }

  /** Everything of one sender. */
  contentFrom(senderHex: Hex): { readonly pending: readonly Transaction[]; readonly queued: readonly Transaction[] } {
    const queue = this.#bySender.get(senderHex);
    if (queue === undefined) return { pending: [], queued: [] };
    const place = firstQueuedPlace(queue);
    const transactions = queue.entries.map(({ transaction }) => transaction);
    return { pending: transactions.slice(0, place), queued: transactions.slice(place) };
  }

  #entryOf(transaction: Transaction, costWei: Wei): PooledTransaction {
    this.#arrivals++;
    const tipPrice = Number(transaction.maxPriorityFeePerGasWei);
    return { transaction, costWei, arrival: this.#arrivals, tipPrice, feePrice: Number(transaction.maxFeePerGasWei) };
  }

  // Bounds: of the sender, then of the pool. Frees what has to go, or refuses and changes nothing.
  #makeRoom(entry: PooledTransaction, accountNonce: bigint, queue: SenderQueue | undefined): Verdict<true, AdmissionRefusal> {
    const { transaction } = entry;
    const replaced = queue === undefined ? undefined : entryAt(queue, transaction.nonce);
    if (replaced !== undefined) {
      const growth = transaction.raw.length - replaced.transaction.raw.length;
      if (this.#bytes + growth <= this.#parameters.mempoolBytesMax) return accept(true);
      return refuse('pool-full', 'the transaction pool has no room for a larger replacement');
    }
    const isPending = transaction.nonce <= (queue === undefined ? accountNonce : nonceAfterRun(queue, accountNonce));
    if (queue !== undefined && queue.entries.length >= this.#parameters.mempoolTransactionsPerSenderMax) {
      const last = queue.entries[queue.entries.length - 1];
      if (!isPending || last === undefined || last.transaction.nonce < transaction.nonce) {
        return refuse('sender-queue-full', `${queue.entries.length} transactions of this sender wait already`);
      }
      this.#dropFrom(queue, queue.entries.length - 1);
    }
    if (this.#hasRoomFor(transaction)) return accept(true);
    if (!isPending) return refuse('pool-full', 'the transaction pool is full, and the nonce leaves a gap');
    for (const gapped of this.#gapped) {
      if (this.#hasRoomFor(transaction)) return accept(true);
      if (gapped !== queue) this.#dropFrom(gapped, firstQueuedPlace(gapped));
    }
    if (this.#hasRoomFor(transaction)) return accept(true);
    const tip = effectiveTipOf(entry, this.#baseFee);
    if (tip <= this.#tipFloor) return refuse('pool-full', 'the transaction pool is full of better paid ones');
    this.#evictCheapest(tip, transaction.senderHex, transaction.raw.length);
    return this.#hasRoomFor(transaction) ? accept(true) : refuse('pool-full', 'the transaction pool is full of better paid ones');
  }

  #insert(entry: PooledTransaction, accountNonce: bigint): Admission {
    const { transaction } = entry;
    const queue = this.#queueOf(transaction, accountNonce);
    if (accountNonce > queue.accountNonce) queue.accountNonce = accountNonce;
    const runBefore = nonceAfterRun(queue, queue.accountNonce);
    const place = placeOf(queue, transaction.nonce);
    const before = queue.entries[place];
    const replaced = before?.transaction.nonce === transaction.nonce ? before : undefined;
    queue.entries.splice(place, replaced === undefined ? 0 : 1, entry);
    if (replaced !== undefined) this.#forget(replaced);
    this.#byHash.set(transaction.hashHex, entry);
    this.#bytes += transaction.raw.length;
    this.#gas += transaction.gasLimit;
    this.#settle(queue);
    return { becamePending: becamePending(queue, entry, place, runBefore, replaced !== undefined), replaced: replaced?.transaction };
  }

  #queueOf({ sender, senderHex }: Transaction, accountNonce: bigint): SenderQueue {
    const known = this.#bySender.get(senderHex);
    if (known !== undefined) return known;
    const queue: SenderQueue = { sender, senderHex, accountNonce, entries: [] };
    this.#bySender.set(senderHex, queue);
    return queue;
  }

  #hasRoomFor({ raw }: Transaction): boolean {
    const { mempoolTransactionsMax, mempoolBytesMax } = this.#parameters;
    return this.#byHash.size < mempoolTransactionsMax && this.#bytes + raw.length <= mempoolBytesMax;
  }

  #isNearBounds(): boolean {
    const { mempoolTransactionsMax, mempoolBytesMax } = this.#parameters;
    const share = 1 - 2 / EVICTION_SHARE;
    return this.#byHash.size > mempoolTransactionsMax * share || this.#bytes > mempoolBytesMax * share;
  }

  // Frees a share of the pool, below a newcomer's tip: senders by their cheapest transaction, each losing that and what comes after.
  #evictCheapest(belowTip: number, exceptSenderHex: Hex, bytesNeeded: number): void {
    const { mempoolTransactionsMax, mempoolBytesMax } = this.#parameters;
    const transactionsTarget = mempoolTransactionsMax - Math.max(1, Math.floor(mempoolTransactionsMax / EVICTION_SHARE));
    const bytesTarget = mempoolBytesMax - Math.max(bytesNeeded, Math.floor(mempoolBytesMax / EVICTION_SHARE));
    const victims = [...this.#bySender.values()]
      .filter(({ senderHex }) => senderHex !== exceptSenderHex)
      .map((queue) => ({ queue, ...this.#cheapestOf(queue) }))
      .filter(({ tip }) => tip < belowTip)
      .sort((a, b) => a.tip - b.tip || b.arrival - a.arrival);
    for (const { queue, place, tip } of victims) {
      if (this.#byHash.size <= transactionsTarget && this.#bytes <= bytesTarget) return;
      this.#tipFloor = tip;
      this.#dropFrom(queue, place);
    }
  }

  #cheapestOf(queue: SenderQueue): { readonly place: number; readonly tip: number; readonly arrival: number } {
    let place = 0;
    let tip = Number.POSITIVE_INFINITY;
    for (const [at, entry] of queue.entries.entries()) {
      const tipAt = effectiveTipOf(entry, this.#baseFee);
      if (tipAt < tip) [place, tip] = [at, tipAt];
    }
    return { place, tip, arrival: queue.entries[place]?.arrival ?? 0 };
  }

  #dropFrom(queue: SenderQueue, place: number): void {
    for (const entry of queue.entries.splice(place)) this.#forget(entry);
    this.#settle(queue);
  }

  #forget({ transaction }: PooledTransaction): void {
    invariant(this.#byHash.delete(transaction.hashHex), 'what stands in a queue is known by its hash');
    this.#bytes -= transaction.raw.length;
    this.#gas -= transaction.gasLimit;
  }

  // After every change of a queue: an empty one is forgotten, and whether it has a gap is noted.
  #settle(queue: SenderQueue): void {
    if (queue.entries.length === 0) this.#bySender.delete(queue.senderHex);
    if (queue.entries.length > 0 && hasGap(queue)) this.#gapped.add(queue);
    else this.#gapped.delete(queue);
  }
}

// What can run now that `entry` is at `place` and could not before, when the run ended before `runBefore`.
function becamePending(
  queue: SenderQueue,
  { transaction }: PooledTransaction,
  place: number,
  runBefore: bigint,
  isReplacement: boolean,
): readonly Transaction[] {
  if (isReplacement && transaction.nonce < runBefore) return [transaction];
  // As a rule a sender's transactions come one after the other.
  if (place === queue.entries.length - 1) return transaction.nonce === runBefore ? [transaction] : [];
  const runAfter = nonceAfterRun(queue, queue.accountNonce);
  return queue.entries.map((each) => each.transaction).filter(({ nonce }) => nonce >= runBefore && nonce < runAfter);
}

function firstQueuedPlace(queue: SenderQueue): number {
  return placeOf(queue, nonceAfterRun(queue, queue.accountNonce));
}
