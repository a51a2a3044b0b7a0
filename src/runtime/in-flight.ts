// Transactions on their way: charged in their sender's shard, and not mined yet. A transaction is mined when its main call is final, wherever that runs,
// and every pointer of the contracts that it created (protocol, section 7); until then it is pending to clients, and its sender's `latest` nonce is not
// above its own.
import { bytesToHex } from '../core/primitives/bytes.ts';
import type { Address, Hex } from '../core/primitives/ids.ts';
import type { Transaction } from '../core/protocol/transaction.ts';

/** See the file's head. Bounded by what shards may have under way to each other. */
export class InFlight {
  readonly #byHash = new Map<Hex, Transaction>();
  /** Of each sender; made when somebody asks, for transactions come and go a block at a time, and nobody may ask in between. */
  #lowestNonces: ReadonlyMap<Hex, bigint> | undefined;

  /** How many there are: a metric. */
  get size(): number {
    return this.#byHash.size;
  }

  /** It is charged, or its pointers are under way. */
  add(transaction: Transaction): void {
    this.#byHash.set(transaction.hashHex, transaction);
    this.#lowestNonces = undefined;
  }

  /** It is mined. */
  remove(hash: Hex): void {
    if (this.#byHash.delete(hash)) this.#lowestNonces = undefined;
  }

  get(hash: Hex): Transaction | undefined {
    return this.#byHash.get(hash);
  }

  /** The lowest nonce of a sender's transactions on their way. */
  lowestNonceOf(sender: Address): bigint | undefined {
    this.#lowestNonces ??= lowestNoncesOf(this.#byHash.values());
    return this.#lowestNonces.get(bytesToHex(sender));
  }
}

function lowestNoncesOf(transactions: Iterable<Transaction>): ReadonlyMap<Hex, bigint> {
  const lowest = new Map<Hex, bigint>();
  for (const { senderHex, nonce } of transactions) {
    const known = lowest.get(senderHex);
    if (known === undefined || nonce < known) lowest.set(senderHex, nonce);
  }
  return lowest;
}
