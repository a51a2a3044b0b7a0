// What a leader puts into a shard's block, and how much it is waited for: the inbox from the bundles at hand, transactions of the mempool, and proofs of
// pointers from the states at hand, all at the newest beacon block.
import { stateHeightOf } from '../core/beacon/anchoring.ts';
import { epochOfHeight } from '../core/beacon/epochs.ts';
import { placementOfFamily } from '../core/messaging/placement.ts';
import { selectInbox } from '../core/messaging/select-inbox.ts';
import { bytesEqual } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Address, ChainId } from '../core/primitives/ids.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import { isUnder } from '../core/protocol/shard-id.ts';
import type { ShardInstance } from '../core/shard/beacon-view.ts';
import { buildShardBlock } from '../core/shard/build-shard-block.ts';
import { makePointerProof } from '../core/shard/pointer-proof.ts';
import { isWithinReach } from '../core/shard/unanchored.ts';
import { extendToWorld } from '../core/state/shard-proof.ts';
import type { StateDatabase } from '../core/state/state-version.ts';
import type { BeaconWindow } from '../runtime/beacon-window.ts';
import type { BundleShelf } from '../runtime/bundle-shelf.ts';
import type { BlockContent } from '../runtime/payload-maker.ts';
import type { ShardBlockOutcome } from '../runtime/shard-block-logic.ts';
import type { Urgency } from '../runtime/shard-payloads.ts';

/** Where what goes into blocks is found. */
export interface ShardContentSources {
  readonly window: BeaconWindow;
  readonly parameters: NetworkParameters;
  readonly shelf: BundleShelf;
  readonly statesOf: (shard: ChainId) => StateDatabase;
}

/** See the file's head. */
export class ShardContent {
  readonly #sources: ShardContentSources;

  constructor(sources: ShardContentSources) {
    this.#sources = sources;
  }

  /** What else than transactions asks for a block on this parent. */
  urgencyOn(instance: ShardInstance, parent: ShardBlockOutcome): Urgency {
    const { window, parameters, shelf } = this.#sources;
    if (epochOfHeight(window.newest.height, parameters) > instance.epoch) return 'at-once';
    const view = window.viewAt(window.newest.height);
    if (view === undefined) return 'none';
    if (!isWithinReach(parent.facts.height + 1, view, instance)) return 'too-early';
    const lanes = { shard: instance.shard, parentCursors: parent.commitment.cursors, view: view.lanes, share: parameters };
    return selectInbox({ ...lanes, held: shelf.held() }).inbox.length > 0 ? 'wanted' : 'none';
  }

  /** The block on a parent with what fits of these transactions. */
  contentOn(instance: ShardInstance, parent: ShardBlockOutcome, offered: BlockContent['transactions'], nowMs: number): BlockContent {
    const { window, parameters, shelf } = this.#sources;
    const view = window.viewAt(window.newest.height);
    invariant(view !== undefined, 'the newest beacon block is there to be referred to');
    const { body, transactions, ...fields } = buildShardBlock({
      instance,
      parent: parent.asParent,
      parentExecution: parent.commitment,
      parentState: parent.version,
      view,
      parameters,
      held: shelf.held(),
      transactions: offered,
      pointerProofOf: (target) => this.#pointerProofOf(target),
      nowMs,
    });
    return { fields, body, transactions };
  }

  // Against the world root at the newest beacon block, from the state that it anchored; none where that is not here yet.
  #pointerProofOf(target: Address): Uint8Array | undefined {
    const { records } = this.#sources.window.newest;
    const placement = placementOfFamily(target);
    const entry = records.find(({ record }) => isUnder(placement, record.shard));
    invariant(entry !== undefined, 'the records in force are the whole tree');
    const { shard } = entry.record;
    const states = this.#sources.statesOf(shard);
    const version = states.at(stateHeightOf(entry));
    if (version === undefined || !bytesEqual(version.root, entry.progress.stateRoot)) return undefined;
    const roots = new Map(records.map(({ record, progress }) => [record.shard, progress.stateRoot]));
    return makePointerProof(target, undefined, extendToWorld(shard, states.provePointer(version, target), roots));
  }
}
