// How far the beacon may run ahead of the shards that a node follows. A node that was away has the beacon's blocks before it has those of its shards,
// which take executing; and the beacon forgets instances after some epochs. Who let it go on would not know any more how the next instance of his
// shard began, and stay behind for good. So a node enters an epoch only when its shards have come to where their instances of two epochs
// before began. Who has the beacon's newest blocks never waits, however slow his shards are; and a shard that stands still is not waited for for long.
import type { KnownInstance } from '../core/beacon/state.ts';
import type { ChainId, Epoch, Height, TimestampMs } from '../core/primitives/ids.ts';
import type { CancelTimer, Clock, Logger } from '../runtime/ports.ts';

/** Less than the beacon remembers (EVIDENCE_EPOCHS), and than states are kept that blocks refer to. */
const AHEAD_EPOCHS_MAX = 2;
/** How old a block is at most that nobody was away for, whatever its round took. */
const PRESENT_MS = 10_000;
/** A shard that is behind and commits nothing for so long is not waited for until it commits again: ten times what asking another peer takes. */
const STANDSTILL_MS = 30_000;

/** What the pace is judged by. */
export interface EpochPaceDependencies {
  /** That the newest beacon state knows. */
  readonly instances: () => readonly KnownInstance[];
  /** How far this node has come in each shard that it follows. */
  readonly heights: () => ReadonlyMap<ChainId, Height>;
  readonly clock: Pick<Clock, 'nowMs' | 'schedule'>;
  /** The least that an epoch takes. */
  readonly epochMs: number;
  readonly logger: Pick<Logger, 'warn'>;
}

/** See the file's head. */
export class EpochPace {
  readonly #dependencies: EpochPaceDependencies;
  readonly #standing = new Set<ChainId>();
  #stopped = false;
  #resume: (() => void) | undefined;

  constructor(dependencies: EpochPaceDependencies) {
    this.#dependencies = dependencies;
  }

  /** Resolves when the epoch may be entered whose last block before it has this timestamp. One call at a time. */
  async until(epoch: Epoch, timestampMs: TimestampMs): Promise<void> {
    const { clock, epochMs, logger } = this.#dependencies;
    if (clock.nowMs() - timestampMs < Math.max(epochMs, PRESENT_MS)) return;
    for (let behind = this.#behind(epoch); behind.length > 0 && !this.#stopped; behind = this.#behind(epoch)) {
      const hasAdvanced = await new Promise<boolean>((resolve) => {
        const cancel: CancelTimer = clock.schedule(STANDSTILL_MS, () => resolve(false));
        this.#resume = () => {
          cancel();
          resolve(true);
        };
      });
      if (hasAdvanced) continue;
      for (const shard of behind) this.#standing.add(shard);
      logger.warn({ epoch, shards: behind }, 'the beacon goes on without shards that are behind and stand still');
    }
    this.#resume = undefined;
  }

  /** A shard has gone on. */
  advanced(shard: ChainId): void {
    this.#standing.delete(shard);
    this.#resume?.();
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#stopped = true;
    this.#resume?.();
  }

  #behind(epoch: Epoch): readonly ChainId[] {
    const instances = this.#dependencies.instances().filter(({ record }) => record.epoch <= epoch - AHEAD_EPOCHS_MAX);
    return [...this.#dependencies.heights()]
      .filter(
        ([shard, height]) => !this.#standing.has(shard) && instances.some(({ record }) => record.shard === shard && height < record.height),
      )
      .map(([shard]) => shard);
  }
}
