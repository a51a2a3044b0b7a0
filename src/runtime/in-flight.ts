// Transactions on their way: charged in their sender's shard, and not mined yet. A transaction is mined when its main call is final, wherever that runs,
// and every pointer of the contracts that it created (protocol, section 7); until then it is pending to clients, and its sender's `latest` nonce is not
// above its own.
import { bytesToHex } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Address, Hex } from '../core/primitives/ids.ts';
import type { Transaction } from '../core/protocol/transaction.ts';

/** A sender's lowest transaction between shards. */
export type LowestTravelling = Pick<Transaction, 'sender' | 'nonce'>;

/** See the file's head. Bounded by what shards may have under way to each other. */
export class InFlight {
  /** In the order in which they were charged. */
  readonly #byHash = new Map<Hex, Transaction>();
  /**
   * Nonces of those that travel between shards, by sender. Only they can be charged by what one view block makes final and mined by a later one: all
   * others are mined where they are charged.
   */
  readonly #travelling = new Map<Hex, Set<bigint>>();

  /** How many there are: a metric. */
  get size(): number {
    return this.#byHash.size;
  }

  /** It is charged. */
  add(transaction: Transaction): void {
    this.#byHash.set(transaction.hashHex, transaction);
  }

  /** Its main call goes to another shard, or a pointer of its contracts does. */
  travels({ hashHex, senderHex, nonce }: Transaction): void {
    invariant(this.#byHash.has(hashHex), 'what travels is charged');
    const nonces = this.#travelling.get(senderHex);
    if (nonces === undefined) this.#travelling.set(senderHex, new Set([nonce]));
    else nonces.add(nonce);
  }

  /** It is mined, or was never charged for good. */
  remove(hash: Hex): void {
    const transaction = this.#byHash.get(hash);
    if (transaction === undefined) return;
    this.#byHash.delete(hash);
    const { senderHex, nonce } = transaction;
    const nonces = this.#travelling.get(senderHex);
    if (nonces?.delete(nonce) === true && nonces.size === 0) this.#travelling.delete(senderHex);
  }

  get(hash: Hex): Transaction | undefined {
    return this.#byHash.get(hash);
  }

  /** The first of them, in the order in which they were charged. */
  first(countMax: number): readonly Transaction[] {
    const first: Transaction[] = [];
    for (const transaction of this.#byHash.values()) {
      if (first.length >= countMax) break;
      first.push(transaction);
    }
    return first;
  }

  /** The lowest nonce of a sender's transactions that travel. */
  lowestNonceOf(sender: Address): bigint | undefined {
    return lowestOf(this.#travelling.get(bytesToHex(sender)));
  }

  /** Which of these are the lowest of their senders that travel. */
  lowestAmong(transactions: Iterable<Transaction>): readonly LowestTravelling[] {
    if (this.#travelling.size === 0) return [];
    const lowestBySender = new Map<Hex, bigint | undefined>();
    const lowest: LowestTravelling[] = [];
    for (const { sender, senderHex, nonce } of transactions) {
      if (!lowestBySender.has(senderHex)) lowestBySender.set(senderHex, lowestOf(this.#travelling.get(senderHex)));
      if (lowestBySender.get(senderHex) === nonce) lowest.push({ sender, nonce });
    }
    return lowest;
  }
}

function lowestOf(nonces: ReadonlySet<bigint> | undefined): bigint | undefined {
  let lowest: bigint | undefined;
  for (const nonce of nonces ?? []) if (lowest === undefined || nonce < lowest) lowest = nonce;
  return lowest;
}
