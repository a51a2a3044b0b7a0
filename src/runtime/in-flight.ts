// Transactions on their way: charged in their sender's shard, and not mined yet. A transaction is mined when its main call is final, wherever that runs,
// and every pointer of the contracts that it created (protocol, section 7); until then it is pending to clients, and its sender's `latest` nonce is not
// above its own.
import { bytesToHex } from '../core/primitives/bytes.ts';
import type { Address, Hex } from '../core/primitives/ids.ts';
import type { Transaction } from '../core/protocol/transaction.ts';

/** See the file's head. Bounded by what shards may have under way to each other. */
export class InFlight {
  readonly #byHash = new Map<Hex, Transaction>();
  readonly #bySender = new Map<Hex, Set<Transaction>>();

  /** How many there are: a metric. */
  get size(): number {
    return this.#byHash.size;
  }

  /** It is charged, or its pointers are under way. */
  add(transaction: Transaction): void {
    if (this.#byHash.has(transaction.hashHex)) return;
    this.#byHash.set(transaction.hashHex, transaction);
    const { senderHex } = transaction;
    const others = this.#bySender.get(senderHex);
    if (others === undefined) this.#bySender.set(senderHex, new Set([transaction]));
    else others.add(transaction);
  }

  /** It is mined. */
  remove(hash: Hex): void {
    const transaction = this.#byHash.get(hash);
    if (transaction === undefined) return;
    this.#byHash.delete(hash);
    const { senderHex } = transaction;
    const others = this.#bySender.get(senderHex);
    others?.delete(transaction);
    if (others?.size === 0) this.#bySender.delete(senderHex);
  }

  get(hash: Hex): Transaction | undefined {
    return this.#byHash.get(hash);
  }

  /** The lowest nonce of a sender's transactions on their way. */
  lowestNonceOf(sender: Address): bigint | undefined {
    let lowest: bigint | undefined;
    for (const { nonce } of this.#bySender.get(bytesToHex(sender)) ?? []) if (lowest === undefined || nonce < lowest) lowest = nonce;
    return lowest;
  }
}
