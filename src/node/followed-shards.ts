// Which shards a node follows: all, or those whose committees its validator is in, now and in the epochs that are decided (core/beacon/own-shards.ts).
// Whoever follows all can show the one chain that clients see; whoever follows its own holds and executes no more than its share.
import { stateHeightOf } from '../core/beacon/anchoring.ts';
import { epochOfHeight, lastHeightOfEpoch } from '../core/beacon/epochs.ts';
import { followersOf, isRunByAll, ownShards } from '../core/beacon/own-shards.ts';
import type { BeaconState, RecordEntry } from '../core/beacon/state.ts';
import type { ChainId, Epoch, Height, ValidatorIndex } from '../core/primitives/ids.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { PeerName } from '../network/ports.ts';
import { decodeBeaconState } from '../runtime/beacon-commits.ts';
import type { BeaconWindow } from '../runtime/beacon-window.ts';
import type { BeaconStore } from '../storage/beacon-store.ts';
import type { BlockStore } from '../storage/block-store.ts';

/** What a node may follow. */
export const FOLLOW_CHOICES = ['all', 'own'] as const;
export type Follow = (typeof FOLLOW_CHOICES)[number];

/** What following needs of its node. */
export interface FollowedShardsOptions {
  readonly follow: Follow;
  readonly self: ValidatorIndex | undefined;
  readonly parameters: Pick<NetworkParameters, 'epochBlocks'>;
  readonly window: Pick<BeaconWindow, 'newest'>;
  readonly beaconStore: BeaconStore;
  readonly blockStore: BlockStore;
  readonly validatorPeers: readonly PeerName[];
}

/** See the file's head. */
export class FollowedShards {
  readonly #options: FollowedShardsOptions;
  /** The records at the end of the epoch before the newest block's. */
  #ended: { readonly epoch: Epoch; readonly records: readonly RecordEntry[] } | undefined;

  constructor(options: FollowedShardsOptions) {
    this.#options = options;
  }

  /** The shards that this node is to run, as of a beacon state. */
  at(state: BeaconState): ReadonlySet<ChainId> {
    const { follow, self } = this.#options;
    if (follow === 'all') return new Set(state.records.map(({ record }) => record.shard));
    const own = self === undefined ? [] : ownShards(state, this.#epochOf(state), self);
    return new Set([...own, ...state.records.filter((entry) => this.#hasBegun(state, entry)).map(({ record }) => record.shard)]);
  }

  /** Peers that should have what a shard has, another one first for each node, so that nobody is asked by all. */
  peersOf(shard: ChainId): readonly PeerName[] {
    const { window, validatorPeers, self = 0 } = this.#options;
    const validators = followersOf(window.newest, this.#epochOf(window.newest), shard).filter((validator) => validator !== self);
    const first = validators.length === 0 ? 0 : self % validators.length;
    return [...validators.slice(first), ...validators.slice(0, first)].flatMap((validator) => validatorPeers[validator] ?? []);
  }

  /**
   * The lowest version of a shard's state that other nodes may ask for: from its record's on whoever enters its committee goes on block by block, and
   * at the end of the last epoch pointers are proved. None, where every validator runs the shard.
   */
  neededFrom(shard: ChainId): Height {
    const { newest } = this.#options.window;
    const entry = newest.records.find(({ record }) => record.shard === shard);
    if (entry === undefined || isRunByAll(newest, entry)) return Number.POSITIVE_INFINITY;
    const ended = this.#recordsAtEnd(this.#epochOf(newest) - 1).find(({ record }) => record.shard === shard);
    return Math.min(entry.record.height, ended === undefined ? entry.record.height : stateHeightOf(ended));
  }

  #recordsAtEnd(epoch: Epoch): readonly RecordEntry[] {
    if (epoch < 0) return [];
    if (this.#ended?.epoch === epoch) return this.#ended.records;
    const { beaconStore, parameters } = this.#options;
    const encoded = beaconStore.getState(lastHeightOfEpoch(epoch, parameters));
    const records = encoded === undefined ? [] : decodeBeaconState(encoded).records;
    this.#ended = { epoch, records };
    return records;
  }

  // Whoever has blocks of an instance follows it to its end: its state and they belong together.
  #hasBegun({ instances }: BeaconState, { record: { shard, epoch } }: RecordEntry): boolean {
    const known = instances.find(({ record }) => record.shard === shard && record.epoch === epoch);
    return known !== undefined && this.#options.blockStore.getHead(shard, known.instanceId) !== undefined;
  }

  #epochOf({ height }: BeaconState): Epoch {
    return epochOfHeight(height, this.#options.parameters);
  }
}
