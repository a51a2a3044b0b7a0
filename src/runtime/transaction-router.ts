// The mempools of a node, one for each shard that it runs. A transaction waits where its sender's account is, which layouts decide; whoever submits one
// or asks what waits need not know of shards.
import type { Mempool } from '../core/mempool/pool.ts';
import { placementOfFamily } from '../core/messaging/placement.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Address, Bytes32, ChainId, Hex } from '../core/primitives/ids.ts';
import type { Verdict } from '../core/primitives/verdict.ts';
import { shardOfPlacement } from '../core/protocol/shard-id.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import type { Metrics } from './ports.ts';
import type { TransactionDirectory } from './transaction-directory.ts';
import type { PoolRefusal, TransactionPool } from './transaction-pool.ts';

/** Why a transaction is not taken here. */
export type RouterRefusal = PoolRefusal | 'shard-not-followed';

/** Takes a transaction to a shard that is not followed here. */
export type HandOver = (transaction: Transaction) => Promise<Verdict<Bytes32, RouterRefusal>>;

/** The mempool of one shard's senders. */
export interface ShardPool {
  readonly pool: TransactionPool;
  readonly mempool: Mempool;
}

/** Transactions of each sender by nonce, ascending. */
type BySender = ReadonlyMap<Hex, readonly Transaction[]>;

/** See the file's head. */
export class TransactionRouter {
  readonly #directory: TransactionDirectory;
  readonly #metrics: Metrics;
  readonly #handOver: HandOver;
  readonly #pools = new Map<ChainId, ShardPool>();

  constructor(directory: TransactionDirectory, metrics: Metrics, handOver: HandOver) {
    this.#directory = directory;
    this.#metrics = metrics;
    this.#handOver = handOver;
  }

  /** The shard's senders wait here from now on. */
  add(shard: ChainId, pool: ShardPool): void {
    this.#pools.set(shard, pool);
  }

  /** The shard is followed no more: its transactions wait at others. */
  remove(shard: ChainId): void {
    this.#pools.get(shard)?.pool.stop();
    this.#pools.delete(shard);
  }

  /** All of them. */
  get pools(): ReadonlyMap<ChainId, ShardPool> {
    return this.#pools;
  }

  /** Takes a transaction from a client to the pool of its sender's shard, here or elsewhere. */
  async submit(raw: Uint8Array): Promise<Verdict<Bytes32, RouterRefusal>> {
    const [decoded] = await this.#directory.decode([raw]);
    invariant(decoded !== undefined, 'each transaction has its verdict');
    if (!decoded.ok) {
      this.#metrics.count('coppice_transactions_refused_total', { source: 'rpc', reason: decoded.reason });
      return decoded;
    }
    const place = this.#poolOf(decoded.value.sender);
    return place === undefined ? this.#handOver(decoded.value) : place.pool.submit(decoded.value);
  }

  /** The account's nonce after everything that is committed and everything that waits without a gap; undefined of a shard that is not followed. */
  pendingNonce(address: Address): bigint | undefined {
    return this.#poolOf(address)?.pool.pendingNonce(address, bytesToHex(address));
  }

  get(hash: Hex): Transaction | undefined {
    for (const { mempool } of this.#pools.values()) {
      const found = mempool.get(hash);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  status(): { readonly pending: number; readonly queued: number } {
    let [pending, queued] = [0, 0];
    for (const { mempool } of this.#pools.values()) {
      const status = mempool.status();
      pending += status.pending;
      queued += status.queued;
    }
    return { pending, queued };
  }

  content(): { readonly pending: BySender; readonly queued: BySender } {
    const contents = [...this.#pools.values()].map(({ mempool }) => mempool.content());
    return {
      pending: new Map(contents.flatMap(({ pending }) => [...pending])),
      queued: new Map(contents.flatMap(({ queued }) => [...queued])),
    };
  }

  contentFrom(sender: Address): { readonly pending: readonly Transaction[]; readonly queued: readonly Transaction[] } {
    return this.#poolOf(sender)?.mempool.contentFrom(bytesToHex(sender)) ?? { pending: [], queued: [] };
  }

  /** What waits in all of them. */
  get size(): { readonly transactions: number; readonly bytes: number } {
    let [transactions, bytes] = [0, 0];
    for (const { mempool } of this.#pools.values()) {
      transactions += mempool.size.transactions;
      bytes += mempool.size.bytes;
    }
    return { transactions, bytes };
  }

  #poolOf(sender: Address): ShardPool | undefined {
    const shard = shardOfPlacement(this.#pools, placementOfFamily(sender));
    return shard === undefined ? undefined : this.#pools.get(shard);
  }
}
