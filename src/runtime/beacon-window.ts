// The committed beacon as shards read it: the newest block, views of older ones at which shard blocks stand, and what sources have sent that
// somebody has still to read. All of it follows from the beacon chain, so every node that has the same blocks gives the same views.
import { epochOfHeight } from '../core/beacon/epochs.ts';
import type { BeaconState } from '../core/beacon/state.ts';
import { worldRootOf } from '../core/beacon/world-root.ts';
import type { AnchoredOutbox } from '../core/messaging/lane-view.ts';
import type { ChainId, Height } from '../core/primitives/ids.ts';
import type { OutboxSummary } from '../core/protocol/outbox.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { BeaconView } from '../core/shard/beacon-view.ts';
import type { BeaconStore } from '../storage/beacon-store.ts';
import { decodeAnchoredOutbox, toLaneOutbox } from './anchored-outbox.ts';
import { decodeBeaconState } from './beacon-commits.ts';
import type { ExecutedBeaconOutcome } from './beacon-logic.ts';

/** Views kept at hand: shard blocks refer to the newest few blocks. */
const RECENT_VIEWS_MAX = 64;
/** Waits for blocks that are not committed here yet: one for each shard block that is being judged. */
const WAITS_MAX = 4_096;
/** Beacon blocks for which what was anchored stays, whoever has read it. */
const KEPT_BLOCKS = 1_024;

/** What the window stands on. */
export interface BeaconWindowDependencies {
  readonly parameters: Pick<NetworkParameters, 'epochBlocks'>;
  readonly beaconStore: BeaconStore;
}

interface Wait {
  readonly height: Height;
  readonly resolve: () => void;
}

/** See the file's head. */
export class BeaconWindow {
  readonly #dependencies: BeaconWindowDependencies;
  readonly #views = new Map<Height, BeaconView>();
  /** By source, ascending. */
  readonly #outboxes: Map<ChainId, AnchoredOutbox[]>;
  readonly #listeners: ((state: BeaconState) => void)[] = [];
  #newest: BeaconState;
  #waits: readonly Wait[] = [];

  private constructor(dependencies: BeaconWindowDependencies, newest: BeaconState, outboxes: Map<ChainId, AnchoredOutbox[]>) {
    this.#dependencies = dependencies;
    this.#newest = newest;
    this.#outboxes = outboxes;
  }

  /** The window onto what is on disk. */
  static async open(dependencies: BeaconWindowDependencies, newest: BeaconState): Promise<BeaconWindow> {
    const outboxes = new Map<ChainId, AnchoredOutbox[]>();
    for (const { shard, startHeight } of newest.sources)
      outboxes.set(
        shard,
        (await dependencies.beaconStore.readOutboxes(shard, startHeight)).map(({ height, outbox }) => decodeAnchoredOutbox(height, outbox)),
      );
    return new BeaconWindow(dependencies, newest, outboxes);
  }

  /** The state after the newest committed block. */
  get newest(): BeaconState {
    return this.#newest;
  }

  /** A beacon block is on disk. */
  extend({ state, applied }: ExecutedBeaconOutcome): void {
    this.#newest = state;
    for (const anchored of applied.anchoredOutboxes) {
      const known = this.#outboxes.get(anchored.source) ?? [];
      known.push(toLaneOutbox(anchored));
      this.#outboxes.set(anchored.source, known);
    }
    this.#forgetRead();
    const due = this.#waits.filter(({ height }) => height <= state.height);
    this.#waits = this.#waits.filter(({ height }) => height > state.height);
    for (const { resolve } of due) resolve();
    for (const listener of this.#listeners) listener(state);
  }

  /** Told of each state that becomes the newest. */
  onExtended(listener: (state: BeaconState) => void): void {
    this.#listeners.push(listener);
  }

  /** Shard blocks that wait for a beacon block. */
  get waiting(): number {
    return this.#waits.length;
  }

  /** Resolves when the block at this height is committed here, or where too many wait. */
  async until(height: Height): Promise<void> {
    if (height <= this.#newest.height) return;
    await new Promise<void>((resolve) => {
      this.#waits = [...this.#waits, { height, resolve }];
      // Leaders can name what will never be: whoever has waited longest finds nothing.
      if (this.#waits.length > WAITS_MAX) this.#waits[0]?.resolve();
      this.#waits = this.#waits.slice(-WAITS_MAX);
    });
  }

  /** What a source sent in a block, as far as it is anchored and not read by all. */
  anchoredSummary(source: ChainId, height: Height): OutboxSummary | undefined {
    return this.#outboxOf(source, height)?.summary;
  }

  /** The beacon block that made it final. */
  anchorHeight(source: ChainId, height: Height): Height | undefined {
    return this.#outboxOf(source, height)?.anchor.beaconHeight;
  }

  #outboxOf(source: ChainId, height: Height): AnchoredOutbox | undefined {
    return this.#outboxes.get(source)?.find((outbox) => outbox.height === height);
  }

  /** The world as of the block at a height; undefined of one that is not committed here, or whose state is not kept any more. */
  viewAt(height: Height): BeaconView | undefined {
    const known = this.#views.get(height);
    if (known !== undefined) return known;
    const view = this.#makeView(height);
    if (view === undefined) return undefined;
    this.#views.set(height, view);
    for (const oldest of this.#views.keys()) {
      if (this.#views.size <= RECENT_VIEWS_MAX) break;
      this.#views.delete(oldest);
    }
    return view;
  }

  #makeView(height: Height): BeaconView | undefined {
    const { beaconStore, parameters } = this.#dependencies;
    if (height > this.#newest.height) return undefined;
    const point = beaconStore.getPoint(height);
    const state = height === this.#newest.height ? this.#newest : this.#storedState(height);
    if (point === undefined || state === undefined) return undefined;
    return {
      height,
      ...point,
      epoch: epochOfHeight(height, parameters),
      hashAt: (wanted) => beaconStore.getPoint(wanted)?.hash,
      lanes: {
        sources: state.sources.map(({ shard, startHeight, anchoredHeight }) => ({
          shard,
          startHeight,
          lastAnchoredHeight: anchoredHeight,
          outboxes: (this.#outboxes.get(shard) ?? []).filter((outbox) => outbox.height <= anchoredHeight),
        })),
      },
      shards: new Map(
        state.records.map(({ record: { shard }, progress: { height: anchoredHeight, baseFeePerGasWei, load } }) => [
          shard,
          { anchoredHeight, baseFeePerGasWei, backlog: load.whole.backlog },
        ]),
      ),
      worldRoot: worldRootOf(state),
      worldRootOfEpoch: (epoch) => state.worldRoots[epoch],
    };
  }

  #storedState(height: Height): BeaconState | undefined {
    const encoded = this.#dependencies.beaconStore.getState(height);
    return encoded === undefined ? undefined : decodeBeaconState(encoded);
  }

  // What is not listed any more was read by all. Of the rest, shard blocks with old references may still ask for what all have passed since; they
  // refer to states that are kept, so what is let go lies below all that those know of.
  #forgetRead(): void {
    const listed = new Set(this.#newest.sources.map(({ shard }) => shard));
    for (const shard of this.#outboxes.keys()) if (!listed.has(shard)) this.#outboxes.delete(shard);
    for (const [shard, outboxes] of this.#outboxes) {
      const lowest = this.#lowestCursor(shard);
      const first = outboxes.findIndex(({ anchor, height }) => height >= lowest || anchor.beaconHeight + KEPT_BLOCKS > this.#newest.height);
      if (first > 0) outboxes.splice(0, first);
    }
  }

  #lowestCursor(source: ChainId): Height {
    let lowest = Number.MAX_SAFE_INTEGER;
    for (const { progress } of this.#newest.records) {
      const heights = progress.cursors.filter((cursor) => cursor.source === source).map(({ height }) => height);
      // A missing cursor is not a passed one.
      if (heights.length === 0) return 0;
      lowest = Math.min(lowest, ...heights);
    }
    return lowest;
  }
}
