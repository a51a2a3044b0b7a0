// The mempool at work: admits what comes by RPC and gossip, hands it on in batches, and feeds block building. The pool itself is pure
// (core/mempool); here it meets the newest executed state, the network and the chain.
import type { DecodedBlock } from '../core/execution/executed-block.ts';
import type { AdmissionRefusal } from '../core/mempool/admission.ts';
import { decodeTransactionBatch, encodeTransactionBatches } from '../core/mempool/gossip-batch.ts';
import type { Mempool } from '../core/mempool/pool.ts';
import { isFamilyUnder } from '../core/messaging/placement.ts';
import type { Address, Bytes32, ChainId, Wei } from '../core/primitives/ids.ts';
import { accept, type Verdict } from '../core/primitives/verdict.ts';
import type { TransactionRefusal } from '../core/protocol/decode-transaction.ts';
import { TRANSACTIONS_PER_BODY_MAX } from '../core/protocol/limits.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import type { StateReader } from '../core/state/state-reader.ts';
import type { ForwardDecision, GossipMessage, PubSub } from '../network/ports.ts';
import type { Clock, Logger, Metrics } from './ports.ts';
import type { TakeRequest, TransactionSource } from './shard-payloads.ts';
import type { Decoded, TransactionDirectory } from './transaction-directory.ts';

/**
 * Batches follow each other at this distance: a transaction that comes alone travels at once, the many after it together. A frame costs each
 * neighbour about half a millisecond of CPU, whatever is in it.
 */
const GOSSIP_INTERVAL_MS = 50;
/** Refusals that only a faulty or hostile peer causes: honest nodes check them before they hand anything on. */
const OFFENCES: ReadonlySet<string> = new Set([
  'malformed',
  'too-large',
  'unsupported-type',
  'not-replay-protected',
  'wrong-chain-id',
  'invalid-signature',
]);

/** Why a transaction is not taken. */
export type PoolRefusal = TransactionRefusal | AdmissionRefusal;

/** What the pool needs of its node. */
export interface TransactionPoolDependencies {
  /** Whose senders wait here. */
  readonly shard: ChainId;
  readonly pool: Mempool;
  readonly directory: TransactionDirectory;
  readonly pubSub: PubSub;
  readonly topic: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** True when every other validator is a neighbour: then nobody needs us to hand anything on. */
  readonly isMeshFull: () => boolean;
  readonly onPending: (transaction: Transaction) => void;
}

/** See the file's head. */
export class TransactionPool implements TransactionSource {
  readonly #dependencies: TransactionPoolDependencies;
  readonly #waitingListeners: (() => void)[] = [];
  #state: StateReader;
  #toGossip: Uint8Array[] = [];
  #gossipedAtMs = 0;
  #isTelling = false;

  constructor(dependencies: TransactionPoolDependencies, state: StateReader) {
    this.#dependencies = dependencies;
    this.#state = state;
    dependencies.pubSub.subscribe(dependencies.topic, (message) => this.#onGossip(message));
  }

  /** Hears nothing any more. */
  stop(): void {
    this.#dependencies.pubSub.unsubscribe(this.#dependencies.topic);
  }

  /** The state by which transactions are judged: after the newest committed block. */
  get state(): StateReader {
    return this.#state;
  }

  /** Takes a transaction from a client, and hands it on. Its sender is of the pool's shard. */
  submit(transaction: Transaction): Verdict<Bytes32, PoolRefusal> {
    const admitted = this.#admit(transaction, 'rpc');
    if (!admitted.ok) return admitted;
    this.#dependencies.metrics.count('coppice_transactions_admitted_total', { source: 'rpc' });
    if (admitted.value.becamePending) this.#tellSoon();
    this.#gossip(transaction.raw);
    return accept(transaction.hash);
  }

  /** The account's nonce after everything that is committed and everything that waits without a gap. */
  pendingNonce(address: Address, addressHex: string): bigint {
    const accountNonce = this.#state.getAccount(address, address)?.nonce ?? 0n;
    return this.#dependencies.pool.pendingNonce(addressHex, accountNonce);
  }

  hasWaiting(request: TakeRequest): boolean {
    return this.#taken(request, 1).length > 0;
  }

  hasFullBlock({ gasLimit, inFlightGas }: { readonly gasLimit: number; readonly inFlightGas: number }): boolean {
    return this.#dependencies.pool.size.gas - inFlightGas >= gasLimit;
  }

  take(request: TakeRequest): readonly Transaction[] {
    return this.#taken(request, TRANSACTIONS_PER_BODY_MAX);
  }

  onWaiting(listener: () => void): void {
    this.#waitingListeners.push(listener);
  }

  onCommitted(block: DecodedBlock, state: StateReader, baseFeePerGasWei: Wei): void {
    this.#state = state;
    this.#dependencies.pool.onBlock(block.transactions, baseFeePerGasWei);
    this.#dependencies.directory.committed(block.transactions);
  }

  onVoid(transactions: readonly Transaction[], state: StateReader, baseFeePerGasWei: Wei): void {
    this.#state = state;
    this.#dependencies.pool.onVoid(transactions, (sender) => state.getAccount(sender, sender), baseFeePerGasWei);
    this.#tellWaiting();
  }

  #taken({ state, baseFeePerGasWei, gasLimit, bytesMax, inFlight }: TakeRequest, countMax: number): readonly Transaction[] {
    return this.#dependencies.pool.take({
      room: { gasLimit, bytesMax, countMax },
      accountOf: (sender) => state.getAccount(sender, sender),
      baseFeePerGasWei,
      inFlight,
    });
  }

  #admit(transaction: Transaction, source: 'rpc' | 'gossip'): Verdict<{ readonly becamePending: boolean }, AdmissionRefusal> {
    const { pool, metrics, onPending } = this.#dependencies;
    const account = this.#state.getAccount(transaction.sender, transaction.sender);
    const admitted = pool.admit(transaction, account);
    if (!admitted.ok) {
      metrics.count('coppice_transactions_refused_total', { source, reason: admitted.reason });
      return admitted;
    }
    for (const pending of admitted.value.becamePending) onPending(pending);
    return accept({ becamePending: admitted.value.becamePending.length > 0 });
  }

  // Clients' transactions come one by one, and many of them in one turn: whoever waits is told once of all.
  #tellSoon(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      this.#tellWaiting();
    });
  }

  #tellWaiting(): void {
    for (const listener of this.#waitingListeners) listener();
  }

  #gossip(raw: Uint8Array): void {
    this.#toGossip.push(raw);
    if (this.#toGossip.length > 1) return;
    const { clock } = this.#dependencies;
    clock.schedule(Math.max(0, this.#gossipedAtMs + GOSSIP_INTERVAL_MS - clock.nowMs()), () => this.#flush());
  }

  #flush(): void {
    const { pubSub, topic, logger } = this.#dependencies;
    const raws = this.#toGossip;
    this.#toGossip = [];
    this.#gossipedAtMs = this.#dependencies.clock.nowMs();
    for (const batch of encodeTransactionBatches(raws)) {
      pubSub.publish(topic, batch).catch((error: unknown) => logger.warn({ error: String(error) }, 'transactions not gossiped'));
    }
  }

  async #onGossip({ data }: GossipMessage): Promise<ForwardDecision> {
    const { directory, metrics, isMeshFull } = this.#dependencies;
    const batch = decodeTransactionBatch(data);
    if (!batch.ok) {
      metrics.count('coppice_gossip_refused_total', { kind: 'transactions', reason: batch.reason });
      return 'reject';
    }
    const taken = this.#admitAll(await directory.decode(batch.value));
    if (taken.admitted > 0) metrics.count('coppice_transactions_admitted_total', { source: 'gossip' }, taken.admitted);
    if (taken.becamePending) this.#tellWaiting();
    if (taken.isOffence) return 'reject';
    return taken.admitted > 0 && !isMeshFull() ? 'accept' : 'ignore';
  }

  // As far as an honest peer could have sent it.
  #admitAll(batch: readonly Decoded[]): { readonly admitted: number; readonly becamePending: boolean; readonly isOffence: boolean } {
    const { shard, metrics } = this.#dependencies;
    let admitted = 0;
    let becamePending = false;
    for (const decoded of batch) {
      if (!decoded.ok) {
        metrics.count('coppice_gossip_refused_total', { kind: 'transactions', reason: decoded.reason });
        if (OFFENCES.has(decoded.reason)) return { admitted, becamePending, isOffence: true };
        continue;
      }
      // On the topic of another shard no honest peer hands it on.
      if (!isFamilyUnder(decoded.value.sender, shard)) {
        metrics.count('coppice_gossip_refused_total', { kind: 'transactions', reason: 'foreign-sender' });
        return { admitted, becamePending, isOffence: true };
      }
      const verdict = this.#admit(decoded.value, 'gossip');
      if (!verdict.ok) continue;
      admitted++;
      becamePending ||= verdict.value.becamePending;
    }
    return { admitted, becamePending, isOffence: false };
  }
}
