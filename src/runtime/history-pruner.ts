// Pruning: old versions of the state are forgotten while the node runs, so that its database grows with what happens on the chain and
// not with how often the same accounts change. After commits, a little at a time: one small batch, a pause for everything else, the
// next, and only so many for each commit. Batches are not synced: each leaves the state whole, and what a crash loses of them is found
// again by the next pruning. Blocks, certificates and receipts are not touched: other nodes and clients still ask for them.
import type { ChainId, Height } from '../core/primitives/ids.ts';
import type { StateDatabase } from '../core/state/state-version.ts';
import type { KeyValueStore } from '../storage/key-value-store.ts';
import type { Clock, Logger, Metrics } from './ports.ts';

/** The shortest window: what reads the newest versions by itself (a restart, the view, calls that wait) never meets pruning. */
export const STATE_BLOCKS_MIN = 64;
/** Versions stay this long after they are no longer served: whoever still reads one that was in the window comes to an end. */
const GRACE_BLOCKS = 64;
/** Blocks pruned at once, at least: looking for what there is to prune has a price. */
const STEP_BLOCKS = 16;
/** These remove 12,288 rows: more than the fullest block makes superfluous (3,200 slots of large trees), so pruning keeps up with any load. */
const BATCHES_PER_COMMIT_MAX = 24;
/** A batch takes a tenth of this, so pruning takes no more than that share of the time, however fast blocks come. */
const BATCH_PAUSE_MS = 10;

/** What pruning needs of its node. */
export interface HistoryPrunerDependencies {
  /** Whose commits it follows: for logs and metrics. */
  readonly chain: ChainId;
  readonly states: StateDatabase;
  readonly store: KeyValueStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** How many blocks before the newest keep their state; infinite for an archive. */
  readonly stateBlocks: number;
  /** The lowest version that the chain itself may still go back to, whatever the window: never pruned. */
  readonly neededFrom: () => Height;
  /** Rows cannot be read or written: the chain must stop. */
  readonly onFault: (fault: unknown) => void;
}

/** See the file's head. */
export class HistoryPruner {
  readonly #dependencies: HistoryPrunerDependencies;
  readonly #stateBlocks: number;
  #running: Promise<void> | undefined;
  #batchesLeft = 0;
  /** Ends the pause between two batches. */
  #wake: () => void = () => undefined;
  #isStopped = false;

  constructor(dependencies: HistoryPrunerDependencies) {
    this.#dependencies = dependencies;
    this.#stateBlocks = Math.max(dependencies.stateBlocks, STATE_BLOCKS_MIN);
  }

  /** The oldest version that others may read. Older ones may still be there for a while, and go without notice. */
  get servedFrom(): Height {
    return Math.max(0, this.#dependencies.states.committed().height - this.#stateBlocks);
  }

  /** A block is on disk: prunes on, or begins to where enough has come together. */
  onCommitted(): void {
    if (this.#isStopped) return;
    const isWaiting = this.#batchesLeft === 0;
    this.#batchesLeft = BATCHES_PER_COMMIT_MAX;
    if (this.#running === undefined) this.#begin();
    else if (isWaiting) this.#wake();
  }

  /** Ends after the batch that is being written. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake();
    await this.#running;
  }

  #begin(): void {
    const { states, neededFrom, onFault } = this.#dependencies;
    const keepFrom = Math.min(this.servedFrom - GRACE_BLOCKS, neededFrom());
    if (keepFrom - states.oldest() < STEP_BLOCKS) return;
    this.#running = this.#prune(keepFrom)
      .catch(onFault)
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #prune(keepFrom: Height): Promise<void> {
    const { chain, states, store, logger, metrics } = this.#dependencies;
    let rowsPruned = 0;
    for await (const batch of states.prune(keepFrom)) {
      if (this.#isStopped) return;
      await store.write(batch, { sync: false });
      const removed = batch.filter(({ type }) => type === 'delete').length;
      rowsPruned += removed;
      metrics.count('coppice_state_rows_pruned_total', { chain: String(chain) }, removed);
      this.#batchesLeft--;
      await this.#rest();
    }
    logger.debug({ chain, keepFrom, rowsPruned }, 'state pruned');
  }

  // When the commit's share of work is used up, until the next commit.
  #rest(): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#batchesLeft > 0 ? this.#dependencies.clock.schedule(BATCH_PAUSE_MS, resolve) : undefined;
      this.#wake = () => {
        cancel?.();
        resolve();
      };
    });
  }
}
