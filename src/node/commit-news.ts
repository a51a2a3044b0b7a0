// What operators are told of commits: logs, metrics, and how far each chain of a node is.
import { bytesToHex } from '../core/primitives/bytes.ts';
import { BEACON_CHAIN, type ChainId, type Height, type TimestampMs } from '../core/primitives/ids.ts';
import type { Instance } from '../core/protocol/committee.ts';
import type { ExecutedBeaconOutcome } from '../runtime/beacon-logic.ts';
import type { Clock, Logger, Metrics } from '../runtime/ports.ts';
import type { ExecutedShardBlockOutcome } from '../runtime/shard-block-logic.ts';
import type { Chain } from './create-chain.ts';
import type { ChainProgress } from './health.ts';

/** Where it is told. */
export interface CommitNewsDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** See the file's head. */
export class CommitNews {
  readonly #dependencies: CommitNewsDependencies;
  readonly #startMs: TimestampMs;
  readonly #lastCommitMs = new Map<ChainId, TimestampMs>();
  readonly #lastFinal = new Map<ChainId, { readonly height: Height; readonly atMs: TimestampMs }>();
  /** Of the shards of the layout that came since the start. */
  readonly #followedSinceMs = new Map<ChainId, TimestampMs>();

  constructor(dependencies: CommitNewsDependencies) {
    this.#dependencies = dependencies;
    this.#startMs = dependencies.clock.nowMs();
  }

  /** A beacon block is on disk. */
  ofBeacon({ facts, hash, applied }: ExecutedBeaconOutcome, instance: Instance): void {
    const { logger } = this.#dependencies;
    this.#committed(BEACON_CHAIN, facts);
    const shards = applied.anchoredExecutions.length;
    logger.debug({ chain: BEACON_CHAIN, epoch: instance.epoch, height: facts.height, hash: bytesToHex(hash), shards }, 'block committed');
  }

  /** A shard's block is on disk. */
  ofShard(shard: ChainId, { block, facts }: ExecutedShardBlockOutcome, instance: Instance | undefined): void {
    const { logger, metrics } = this.#dependencies;
    this.#committed(shard, facts);
    const labels = { chain: String(shard) };
    const { height, round, gasBought } = block.header;
    metrics.gauge('coppice_block_gas_bought', gasBought, labels);
    metrics.gauge('coppice_block_transactions', block.transactions.length, labels);
    metrics.gauge('coppice_base_fee_wei', Number(facts.baseFeePerGasWei), labels);
    metrics.count('coppice_transactions_committed_total', labels, block.transactions.length);
    metrics.count('coppice_messages_received_total', labels, block.body.inbox.length);
    const what = { hash: block.hashHex, transactions: block.transactions.length, messages: block.body.inbox.length };
    logger.debug({ chain: shard, epoch: instance?.epoch, height, round, ...what }, 'block committed');
  }

  /** A view block is written, and what clients see of each chain goes up to these heights. */
  ofView(heights: ReadonlyMap<ChainId, Height>): void {
    const atMs = this.#dependencies.clock.nowMs();
    for (const chain of this.#lastFinal.keys()) if (!heights.has(chain)) this.#lastFinal.delete(chain);
    for (const [chain, height] of heights) if (this.#lastFinal.get(chain)?.height !== height) this.#lastFinal.set(chain, { height, atMs });
  }

  /** The shards that the beacon has records of. */
  follows(shards: ReadonlySet<ChainId>): void {
    const nowMs = this.#dependencies.clock.nowMs();
    for (const shard of this.#followedSinceMs.keys()) if (!shards.has(shard)) this.#followedSinceMs.delete(shard);
    for (const shard of shards) if (!this.#followedSinceMs.has(shard)) this.#followedSinceMs.set(shard, nowMs);
  }

  /** How far a chain is; of one that does not run here, how far its state is. */
  progressOf(chain: ChainId, running: Chain | undefined, stateHeight: Height, finalizedHeight: Height): ChainProgress {
    const sinceMs = this.#followedSinceMs.get(chain) ?? this.#startMs;
    return {
      chain,
      isRunning: running !== undefined,
      committedHeight: running?.blocks.committed.facts.height ?? stateHeight,
      finalizedHeight,
      round: running?.runner.state.round ?? 0,
      lastCommitMs: this.#lastCommitMs.get(chain) ?? sinceMs,
      lastFinalMs: this.#lastFinal.get(chain)?.atMs ?? sinceMs,
      catchingUpTo: running?.catchUp.targetHeight,
    };
  }

  /** Measures what is not counted as it happens. */
  measure({ instance, runner, blocks, commits, evidence }: Chain): void {
    const { metrics } = this.#dependencies;
    const labels = { chain: String(instance.chain) };
    metrics.gauge('coppice_epoch', instance.epoch, labels);
    metrics.gauge('coppice_round', runner.state.round, labels);
    metrics.gauge('coppice_blocks_held', blocks.size, labels);
    metrics.gauge('coppice_mailbox_events', runner.mailboxLength, labels);
    metrics.gauge('coppice_commits_waiting', commits.waiting, labels);
    metrics.gauge('coppice_evidence_kept', evidence.list().length, labels);
  }

  #committed(chain: ChainId, { height, timestampMs }: { readonly height: number; readonly timestampMs: TimestampMs }): void {
    const { clock, metrics } = this.#dependencies;
    const nowMs = clock.nowMs();
    this.#lastCommitMs.set(chain, nowMs);
    const labels = { chain: String(chain) };
    metrics.gauge('coppice_committed_height', height, labels);
    metrics.gauge('coppice_last_commit_timestamp_seconds', nowMs / 1000, labels);
    metrics.observe('coppice_commit_latency_seconds', Math.max(0, nowMs - timestampMs) / 1000, labels);
  }
}
