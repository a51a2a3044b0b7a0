// What a node's blocks hold when it leads a shard (core/shard/build-shard-block.ts), and what else than transactions asks for one: from the newest beacon
// block, the bundles that are here and the pointer proofs that can be had.
import { epochOfHeight } from '../core/beacon/epochs.ts';
import { selectInbox } from '../core/messaging/select-inbox.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { TimestampMs } from '../core/primitives/ids.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { ShardInstance } from '../core/shard/beacon-view.ts';
import { buildShardBlock } from '../core/shard/build-shard-block.ts';
import { needsPointerProof } from '../core/shard/transaction-target.ts';
import { isWithinReach } from '../core/shard/unanchored.ts';
import type { BeaconWindow } from '../runtime/beacon-window.ts';
import type { BundleShelf } from '../runtime/bundle-shelf.ts';
import type { BlockContent } from '../runtime/payload-maker.ts';
import type { ShardBlockOutcome } from '../runtime/shard-block-logic.ts';
import type { Urgency } from '../runtime/shard-payloads.ts';
import type { PointerProofs } from './pointer-proofs.ts';

/** What the content is made from. */
export interface ShardContentDependencies {
  readonly parameters: NetworkParameters;
  readonly window: BeaconWindow;
  readonly shelf: BundleShelf;
  readonly pointers: PointerProofs;
}

/** See the file's head. */
export class ShardContent {
  readonly #dependencies: ShardContentDependencies;

  constructor(dependencies: ShardContentDependencies) {
    this.#dependencies = dependencies;
  }

  /** Whether a block on this parent is asked for by the end of the epoch, or by messages that could be taken. */
  urgencyOn(instance: ShardInstance, parent: ShardBlockOutcome): Urgency {
    const { window, parameters, shelf } = this.#dependencies;
    if (epochOfHeight(window.newest.height, parameters) > instance.epoch) return 'at-once';
    const view = window.viewAt(window.newest.height);
    if (view === undefined) return 'none';
    if (!isWithinReach(parent.facts.height + 1, view, instance)) return 'too-early';
    const lanes = { shard: instance.shard, parentCursors: parent.commitment.cursors, view: view.lanes, share: parameters };
    return selectInbox({ ...lanes, held: shelf.held() }).inbox.length > 0 ? 'wanted' : 'none';
  }

  /** The block on this parent with the newest beacon block as its reference; of the transactions those that fit. */
  async contentOn(
    instance: ShardInstance,
    parent: ShardBlockOutcome,
    offered: BlockContent['transactions'],
    nowMs: TimestampMs,
  ): Promise<BlockContent> {
    const { window, parameters, shelf, pointers } = this.#dependencies;
    const view = window.viewAt(window.newest.height);
    invariant(view !== undefined, 'the newest beacon block is there to be referred to');
    if (!pointers.hasAll) {
      const target = { instance, view, parent: parent.asParent, parentState: parent.version };
      const called = offered.filter((transaction) => needsPointerProof(transaction, target)).flatMap(({ to }) => to ?? []);
      await pointers.prepare(called, view);
    }
    const { body, transactions, ...fields } = buildShardBlock({
      instance,
      parent: parent.asParent,
      parentExecution: parent.commitment,
      parentState: parent.version,
      view,
      parameters,
      held: shelf.held(),
      transactions: offered,
      pointerProofOf: (target) => pointers.of(target, view),
      nowMs,
    });
    return { fields, body, transactions };
  }
}
