// One message of another shard in a block's body (protocol, section 5, "Lanes"): where it stands, its bytes, and the branches that lead from
// its entry in the bundle's index to the index's root, and from there to the `indexesRoot` of the outbox's anchored summary.
import { ContainerType, ListCompositeType, type ValueOf } from '@chainsafe/ssz';
import { sha256 } from '../crypto/sha256.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { MESSAGE_BYTES_MAX } from '../protocol/limits.ts';
import { branchOf, listRootFrom } from '../protocol/list-branch.ts';
import type { Message } from '../protocol/message.ts';
import { decodeMessage } from '../protocol/message-codec.ts';
import { BundleEntry, type OutboxSummary } from '../protocol/outbox.ts';
import { Bytes32Type, byteList, decodeCanonical, Uint16, Uint64 } from '../protocol/ssz.ts';
import { BUNDLE_BRANCH_MAX, isIndexRootIn } from './bundle-index.ts';
import type { HeldBundle } from './held-bundle.ts';
import { placementOf } from './placement.ts';

/** log₂ of MESSAGES_PER_BUNDLE_MAX: levels over the entries of an index. */
const ENTRY_BRANCH_MAX = 13;

/** One element of `BlockBody.inbox`. */
export const InboxItem = new ContainerType(
  {
    source: Uint64,
    /** Of the block that emitted it. */
    height: Uint64,
    /** Position in the outbox's summary. */
    bundle: Uint16,
    /** In the bundle. */
    index: Uint16,
    /** protocol/message-codec.ts. */
    message: byteList(MESSAGE_BYTES_MAX),
    /** From the entry to its index's root, and from there to `indexesRoot`: as far as the two lengths make them (protocol/list-branch.ts). */
    entryBranch: new ListCompositeType(Bytes32Type, ENTRY_BRANCH_MAX),
    bundleBranch: new ListCompositeType(Bytes32Type, BUNDLE_BRANCH_MAX),
  },
  { typeName: 'InboxItem', jsonCase: 'eth2' },
);
export type InboxItem = ValueOf<typeof InboxItem>;

/** Why an element of `inbox` is not one. */
export type InboxItemFault = 'malformed' | 'not-canonical';

/** Reads one element of `BlockBody.inbox`. */
export function decodeInboxItem(bytes: Uint8Array): Verdict<InboxItem, InboxItemFault> {
  return decodeCanonical(InboxItem, bytes);
}

/** The message of the item, if it is the one that stands at its place in the outbox of which this is the anchored summary. */
export function verifyInboxItem(item: InboxItem, summary: OutboxSummary): Verdict<Message, 'wrong-proof'> {
  const { bundle, index, entryBranch, bundleBranch } = item;
  const decoded = decodeMessage(item.message);
  if (!decoded.ok) return refuse('wrong-proof', `the message is ${decoded.reason}: ${decoded.detail}`);
  const entry = BundleEntry.hashTreeRoot({ messageHash: sha256(item.message), placement: placementOf(decoded.value) });
  const messageCount = summary.bundles[bundle]?.messageCount ?? 0;
  const indexRoot = listRootFrom(entry, index, messageCount, entryBranch, ENTRY_BRANCH_MAX);
  const isCommitted = indexRoot !== undefined && isIndexRootIn(summary, bundle, indexRoot, bundleBranch);
  return isCommitted ? accept(decoded.value) : refuse('wrong-proof', `message ${index} of bundle ${bundle}`);
}

/** The encoded item of one message of a bundle. */
export function makeInboxItem(held: HeldBundle, index: number): Uint8Array {
  return InboxItem.serialize({
    ...held.place,
    index,
    message: held.messages[index] as Uint8Array,
    entryBranch: branchOf(held.tree(), index),
    bundleBranch: [...held.branch],
  });
}
