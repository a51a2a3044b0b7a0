// What operators are told of commits: logs, metrics, and how far each chain of a node is.
import { bytesToHex } from '../core/primitives/bytes.ts';
import { BEACON_CHAIN, type ChainId, type TimestampMs } from '../core/primitives/ids.ts';
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

  /** How far a chain is. */
  progressOf({ instance: { chain }, blocks, runner, catchUp }: Chain, finalizedHeight: number): ChainProgress {
    return {
      chain,
      committedHeight: blocks.committed.facts.height,
      finalizedHeight,
      round: runner.state.round,
      lastCommitMs: this.#lastCommitMs.get(chain) ?? this.#startMs,
      catchingUpTo: catchUp.targetHeight,
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
