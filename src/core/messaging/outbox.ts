// The outbox of a block (protocol, section 5, "Lanes"): what it emitted to families of other shards, in one bundle for each destination, in
// left-to-right order, none of them empty (section 10.8). Destinations are shards of the layout of the block's own record; who reads a
// bundle later, under which layout, is the reader's business.
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, ChainId, Height } from '../primitives/ids.ts';
import { MESSAGES_PER_BUNDLE_MAX } from '../protocol/limits.ts';
import { branchOf, listTreeOf } from '../protocol/list-branch.ts';
import type { Message } from '../protocol/message.ts';
import { encodeMessage } from '../protocol/message-codec.ts';
import { BundleIndex, BundleIndexRoots, EMPTY_OUTBOX, type OutboxSummary, outboxRootOf } from '../protocol/outbox.ts';
import { comparePlaces, shardOfPlacement } from '../protocol/shard-id.ts';
import { type HeldBundle, holdBundle, indexOf } from './held-bundle.ts';
import { weightOf } from './message-weight.ts';
import { placementOf } from './placement.ts';

/** What a block sent to other shards, as the header of its child commits it. */
export interface Outbox {
  readonly summary: OutboxSummary;
  /** `outboxRoot` of the execution commitment. */
  readonly root: Bytes32;
  /** In the order of the summary. */
  readonly bundles: readonly HeldBundle[];
}

/** The outbox of the block of `source` at `height` which emitted these messages to other shards, in the order of execution. */
export function makeOutbox(source: ChainId, height: Height, emitted: readonly Message[], layout: ReadonlySet<ChainId>): Outbox {
  const byDestination = Map.groupBy(emitted, (message) => destinationOf(message, layout));
  const destinations = [...byDestination.keys()].sort(comparePlaces);
  if (destinations.length === 0) return { summary: EMPTY_OUTBOX, root: outboxRootOf(EMPTY_OUTBOX), bundles: [] };
  const contents = destinations.map((destination) => {
    const messages = byDestination.get(destination) ?? [];
    invariant(destination !== source, 'what a block emits to its own shard is executed in it');
    invariant(messages.length <= MESSAGES_PER_BUNDLE_MAX, 'gas bounds what a block emits');
    const encoded = messages.map(encodeMessage);
    const weight = messages.reduce((sum, message) => sum + weightOf(message), 0);
    return { messages, encoded, index: indexOf(messages, encoded), bundle: { destination, messageCount: messages.length, weight } };
  });
  const roots = contents.map(({ index }) => BundleIndex.hashTreeRoot(index));
  const summary = { bundles: contents.map(({ bundle }) => bundle), indexesRoot: BundleIndexRoots.hashTreeRoot({ roots }) };
  const tree = listTreeOf(roots);
  return {
    summary,
    root: outboxRootOf(summary),
    bundles: contents.map(({ messages, encoded, index }, bundle) =>
      holdBundle({ source, height, bundle }, messages, encoded, index, branchOf(tree, bundle)),
    ),
  };
}

function destinationOf(message: Message, layout: ReadonlySet<ChainId>): ChainId {
  const destination = shardOfPlacement(layout, placementOf(message));
  invariant(destination !== undefined, 'a layout covers the tree');
  return destination;
}
