// A bundle with its messages, proved to be what the outbox's anchored summary names (protocol, section 5, "Lanes"). Whoever emitted it makes
// it, whoever is to read it fetches it from the source's committee; either can then prove each message by itself.
import { sha256 } from '../crypto/sha256.ts';
import type { Bytes32 } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { type ListTree, listTreeOf } from '../protocol/list-branch.ts';
import type { Message } from '../protocol/message.ts';
import { decodeMessage } from '../protocol/message-codec.ts';
import { BundleEntry, BundleIndex, type OutboxSummary } from '../protocol/outbox.ts';
import { isUnder } from '../protocol/shard-id.ts';
import { CarriedBundleIndex, isIndexRootIn } from './bundle-index.ts';
import type { BundlePlace } from './lane-view.ts';
import { weightOf } from './message-weight.ts';
import { placementOf } from './placement.ts';

/** See the file's head. */
export interface HeldBundle {
  readonly place: BundlePlace;
  /** Encoded, in the order of their emission. */
  readonly messages: readonly Uint8Array[];
  /** What each message weighs (message-weight.ts). */
  readonly weights: readonly number[];
  readonly index: BundleIndex;
  /** From the index's root to the summary's `indexesRoot`. */
  readonly branch: readonly Bytes32[];
  /** Over the entries of the index: made when the first message is to be proved, and kept. */
  readonly tree: () => ListTree;
}

/** Why these are not the messages of the bundle. */
export type BundleFault = 'no-such-bundle' | 'not-a-message' | 'wrong-bundle-summary' | 'wrong-index-root';

/** A bundle of our own, with its messages in both forms: what is said of it is true by construction. */
export function holdBundle(
  place: BundlePlace,
  messages: readonly Message[],
  encoded: readonly Uint8Array[],
  index: BundleIndex,
  branch: readonly Bytes32[],
): HeldBundle {
  let tree: ListTree | undefined;
  return {
    place,
    messages: encoded,
    weights: messages.map(weightOf),
    index,
    branch,
    tree() {
      tree ??= listTreeOf(index.entries.map((entry) => BundleEntry.hashTreeRoot(entry)));
      return tree;
    },
  };
}

/** A bundle that somebody else says stands at this place in the outbox of which this is the anchored summary. */
export function verifyBundle(
  place: BundlePlace,
  messages: readonly Uint8Array[],
  branch: readonly Bytes32[],
  summary: OutboxSummary,
): Verdict<HeldBundle, BundleFault> {
  const expected = summary.bundles[place.bundle];
  if (expected === undefined) return refuse('no-such-bundle', `bundle ${place.bundle} of ${summary.bundles.length}`);
  if (messages.length !== expected.messageCount) return refuse('wrong-bundle-summary', `${messages.length} messages`);
  const decoded: Message[] = [];
  for (const [at, bytes] of messages.entries()) {
    const verdict = decodeMessage(bytes);
    if (!verdict.ok) return refuse('not-a-message', `message ${at} is ${verdict.reason}: ${verdict.detail}`);
    decoded.push(verdict.value);
  }
  const index = indexOf(decoded, messages);
  if (!isIndexRootIn(summary, place.bundle, BundleIndex.hashTreeRoot(index), branch)) return refuse('wrong-index-root');
  const weight = decoded.reduce((sum, message) => sum + weightOf(message), 0);
  const isForDestination = expected.destination === 0 || index.entries.every(({ placement }) => isUnder(placement, expected.destination));
  if (weight !== expected.weight || !isForDestination) return refuse('wrong-bundle-summary', `weight ${weight}`);
  return accept(holdBundle(place, decoded, messages, index, branch));
}

/** The index of the bundle with these messages. */
export function indexOf(messages: readonly Message[], encoded: readonly Uint8Array[]): BundleIndex {
  return {
    entries: messages.map((message, at) => ({ messageHash: sha256(encoded[at] as Uint8Array), placement: placementOf(message) })),
  };
}

/** The encoded element of `BlockBody.bundleIndexes` that shows this bundle's index. */
export function makeCarriedIndex({ place, index, branch }: HeldBundle): Uint8Array {
  return CarriedBundleIndex.serialize({ ...place, index, branch: [...branch] });
}
