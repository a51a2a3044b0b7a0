// The pointer proofs that a node's blocks carry (protocol, section 5, "Where a message goes"): of shards that it has from their states, of others from their
// nodes (sync/pointer-fetch.ts), to whom it gives those of its own.
import { stateHeightOf } from '../core/beacon/anchoring.ts';
import { lastHeightOfEpoch } from '../core/beacon/epochs.ts';
import type { BeaconState } from '../core/beacon/state.ts';
import { placementOfFamily } from '../core/messaging/placement.ts';
import { bytesEqual } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Address, ChainId, Height } from '../core/primitives/ids.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import { isUnder } from '../core/protocol/shard-id.ts';
import type { BeaconView } from '../core/shard/beacon-view.ts';
import { makePointerProof } from '../core/shard/pointer-proof.ts';
import { extendToWorld } from '../core/state/shard-proof.ts';
import type { PeerName } from '../network/ports.ts';
import { decodeBeaconState } from '../runtime/beacon-commits.ts';
import type { BeaconWindow } from '../runtime/beacon-window.ts';
import type { BeaconStore } from '../storage/beacon-store.ts';
import { PointerFetch } from '../sync/pointer-fetch.ts';
import { servePointers } from '../sync/pointer-server.ts';
import type { NodePorts } from './create-node.ts';
import type { ShardStates } from './shard-states.ts';

/** Weight of a request that no honest node sends. */
const BAD_REQUEST_WEIGHT = 10;

/** What the proofs stand on. */
export interface PointerProofsOptions extends Pick<NodePorts, 'network' | 'clock'> {
  readonly parameters: Pick<NetworkParameters, 'epochBlocks'>;
  readonly window: Pick<BeaconWindow, 'newest'>;
  readonly beaconStore: BeaconStore;
  readonly states: Pick<ShardStates, 'has' | 'of'>;
  readonly peersOf: (shard: ChainId) => readonly PeerName[];
}

/** See the file's head. */
export class PointerProofs {
  readonly #options: PointerProofsOptions;
  readonly #fetch: PointerFetch;
  /** The state of an older beacon block that was asked for last. */
  #older: BeaconState | undefined;

  constructor(options: PointerProofsOptions) {
    this.#options = options;
    const { network, clock, parameters } = options;
    this.#fetch = new PointerFetch({ ...options, lastHeightOf: (epoch) => lastHeightOfEpoch(epoch, parameters) });
    servePointers(network.request, {
      prove: (target, beaconHeight) => this.#proofAfter(beaconHeight, target),
      clock,
      onBadRequest: (peer, reason) => network.peers.misbehaved(peer, reason, BAD_REQUEST_WEIGHT),
    });
  }

  /** The encoded proof for a block with this reference, the newest beacon block; undefined where none is at hand. */
  of(target: Address, view: BeaconView): Uint8Array | undefined {
    return proofIn(this.#options.states, this.#options.window.newest, target) ?? this.#fetch.get(target, view);
  }

  /** Whether the states of all shards are here, so that nothing has to be fetched. */
  get hasAll(): boolean {
    const { window, states } = this.#options;
    return window.newest.records.every(({ record }) => states.has(record.shard));
  }

  /** Gets what a block with this reference needs of shards that are not here, as far as it comes in time. */
  async prepare(targets: readonly Address[], view: BeaconView): Promise<void> {
    const { window, states } = this.#options;
    const { records } = window.newest;
    const elsewhere = targets.filter((target) => {
      const entry = records.find(({ record }) => isUnder(placementOfFamily(target), record.shard));
      return entry !== undefined && !states.has(entry.record.shard);
    });
    if (elsewhere.length > 0) await this.#fetch.prepare(elsewhere, view);
  }

  stop(): void {
    this.#fetch.stop();
  }

  #proofAfter(height: Height, target: Address): Uint8Array | undefined {
    const { window, states } = this.#options;
    const state = height === window.newest.height ? window.newest : this.#stateAt(height);
    return state === undefined ? undefined : proofIn(states, state, target);
  }

  #stateAt(height: Height): BeaconState | undefined {
    if (this.#older?.height === height) return this.#older;
    const encoded = this.#options.beaconStore.getState(height);
    if (encoded !== undefined) this.#older = decodeBeaconState(encoded);
    return encoded === undefined ? undefined : this.#older;
  }
}

// From the state that a beacon block anchored; none where that is not here.
function proofIn(states: PointerProofsOptions['states'], { records }: BeaconState, target: Address): Uint8Array | undefined {
  const placement = placementOfFamily(target);
  const entry = records.find(({ record }) => isUnder(placement, record.shard));
  invariant(entry !== undefined, 'the records in force are the whole tree');
  const { shard } = entry.record;
  if (!states.has(shard)) return undefined;
  const database = states.of(shard);
  const version = database.at(stateHeightOf(entry));
  if (version === undefined || !bytesEqual(version.root, entry.progress.stateRoot)) return undefined;
  const roots = new Map(records.map(({ record, progress }) => [record.shard, progress.stateRoot]));
  return makePointerProof(target, undefined, extendToWorld(shard, database.provePointer(version, target), roots));
}
