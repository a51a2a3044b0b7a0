// Takes transactions to shards that this node does not follow: to whoever follows the topic of the sender's shard. What can be judged without its state is
// judged here; the rest is for its mempools, and whoever sent it learns nothing of their verdict. Those that come together travel together.
import { checkBySelf } from '../core/mempool/admission.ts';
import { encodeTransactionBatches } from '../core/mempool/gossip-batch.ts';
import { forgetOldest } from '../core/primitives/forget-oldest.ts';
import type { Bytes32, ChainId, Hex } from '../core/primitives/ids.ts';
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import type { PubSub } from '../network/ports.ts';
import type { Clock, Logger, Metrics } from './ports.ts';
import type { RouterRefusal } from './transaction-router.ts';

/** As in mempools: a frame costs each neighbour half a millisecond, whatever is in it. */
const INTERVAL_MS = 50;
/** Transactions that wait for the next frame; what comes on top is refused. */
const WAITING_MAX = 4_096;
/** Hashes remembered of those handed over: gossip drops equal frames, and says no more than that nobody got one. */
const REMEMBERED_MAX = 4_096;

/** What carrying needs of its node. */
export interface TransactionCourierDependencies {
  readonly parameters: NetworkParameters;
  readonly pubSub: PubSub;
  readonly topicOf: (shard: ChainId) => string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

interface Waiting {
  readonly transaction: Transaction;
  readonly settle: (verdict: Verdict<Bytes32, RouterRefusal>) => void;
}

/** See the file's head. */
export class TransactionCourier {
  readonly #dependencies: TransactionCourierDependencies;
  readonly #waiting = new Map<ChainId, Waiting[]>();
  readonly #handedOver = new Set<Hex>();

  constructor(dependencies: TransactionCourierDependencies) {
    this.#dependencies = dependencies;
  }

  /** The hash once nodes of the shard have been handed the transaction. */
  async carry(transaction: Transaction, shard: ChainId): Promise<Verdict<Bytes32, RouterRefusal>> {
    const { parameters, metrics, clock } = this.#dependencies;
    const judged = checkBySelf(transaction, parameters);
    if (!judged.ok) {
      metrics.count('coppice_transactions_refused_total', { source: 'rpc', reason: judged.reason });
      return judged;
    }
    const waiting = this.#waiting.get(shard) ?? [];
    if (waiting.length >= WAITING_MAX) return refuse('pool-full');
    if (waiting.length === 0) clock.schedule(INTERVAL_MS, () => this.#handOver(shard));
    this.#waiting.set(shard, waiting);
    return new Promise((settle) => {
      waiting.push({ transaction, settle });
    });
  }

  #handOver(shard: ChainId): void {
    const waiting = this.#waiting.get(shard) ?? [];
    this.#waiting.delete(shard);
    this.#publish(shard, waiting).catch((error: unknown) => {
      this.#dependencies.logger.warn({ shard, error: String(error) }, 'transactions not handed over');
      for (const { settle } of waiting) settle(refuse('shard-not-followed', `shard ${shard} could not be reached: send it again`));
    });
  }

  async #publish(shard: ChainId, waiting: readonly Waiting[]): Promise<void> {
    const { pubSub, topicOf } = this.#dependencies;
    let recipients = 0;
    for (const batch of encodeTransactionBatches(waiting.map(({ transaction }) => transaction.raw)))
      recipients += (await pubSub.publish(topicOf(shard), batch)).recipients;
    for (const { transaction, settle } of waiting) {
      const { hash, hashHex } = transaction;
      const isHeard = recipients > 0 || this.#handedOver.has(hashHex);
      if (isHeard) this.#handedOver.add(hashHex);
      settle(isHeard ? accept(hash) : refuse('shard-not-followed', `no node of shard ${shard} is connected: send it again`));
    }
    forgetOldest(this.#handedOver, REMEMBERED_MAX);
  }
}
