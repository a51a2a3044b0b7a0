// A voting rule (protocol, section 3): no vote for a block that skips an inbox item although there was room and the voter has held it, with its
// anchor, for 8 beacon blocks ⚠. Else a leader who earns nothing by the inbox skips it. It depends on what this node holds, so it is no rule
// of validity, and blocks that come by synchronisation skip it. Blocks without a body by rule (empty closing ones) are the caller's exception.
import type { ChainId, Height } from '../primitives/ids.ts';
import { BUNDLE_INDEXES_PER_BODY_MAX, INBOX_ITEMS_PER_BODY_MAX } from '../protocol/limits.ts';
import { type HeldBundle, makeCarriedIndex } from './held-bundle.ts';
import type { InboxShare, VerifiedInbox } from './inbox.ts';
import { makeInboxItem } from './inbox-item.ts';
import { type BundleName, type BundlePlace, bundleNameOf, type LaneView } from './lane-view.ts';
import { compareTakeKeys, hasEarlierUnread, openLanes, takeKeyOf } from './lanes.ts';

/** Beacon blocks for which a node has held an item before it misses it. */
export const HELD_BEACON_BLOCKS = 8;

/** A bundle that a node holds, with the newest beacon height that it knew when it first held both the bundle and its anchor. */
export interface BundleSince {
  readonly bundle: HeldBundle;
  readonly heldSince: Height;
}

/** What the block is judged by. */
export interface SkipInput {
  readonly shard: ChainId;
  /** At the block's reference. */
  readonly view: LaneView;
  readonly share: InboxShare;
  readonly held: ReadonlyMap<BundleName, BundleSince>;
  /** The newest committed beacon block that this node knows. */
  readonly newestBeaconHeight: Height;
}

/** The first item that the block should have taken, or whose index it should have carried; undefined where there is none. */
export function skippedThoughHeld(inbox: VerifiedInbox, input: SkipInput): BundlePlace | undefined {
  if (isFull(inbox)) return undefined;
  const lanes = openLanes(inbox.cursors, input.view, inbox.indexes);
  for (const lane of lanes) {
    const { unread, cursor } = lane;
    if (unread === undefined || hasEarlierUnread(lane, cursor.height)) continue;
    const place = { source: cursor.source, height: cursor.height, bundle: unread.bundle };
    const since = input.held.get(bundleNameOf(place));
    if (since === undefined || input.newestBeaconHeight - since.heldSince < HELD_BEACON_BLOCKS) continue;
    // A leader takes by keys, so what it took of later ones does not excuse it.
    const before = inbox.taken.filter(({ key }) => compareTakeKeys(key, takeKeyOf(unread)) < 0);
    const weightLeft = before.reduce((left, { weight }) => left - weight, input.share.inboxGasShare);
    const bytesLeft = before.reduce((left, { bytes }) => left - bytes, input.share.inboxBytesShare);
    const cost = costOf(since.bundle, unread.index);
    if (cost.weight <= weightLeft && cost.bytes <= bytesLeft) return place;
  }
  return undefined;
}

// A body's lists have their ends, whatever the share.
function isFull({ messages, taken }: VerifiedInbox): boolean {
  return messages.length >= INBOX_ITEMS_PER_BODY_MAX || taken.length - messages.length >= BUNDLE_INDEXES_PER_BODY_MAX;
}

// Of the item, or where the index is not known of showing it.
function costOf(bundle: HeldBundle, index: number | undefined): { readonly weight: number; readonly bytes: number } {
  if (index === undefined) return { weight: 0, bytes: makeCarriedIndex(bundle).length };
  return { weight: bundle.weights[index] ?? 0, bytes: makeInboxItem(bundle, index).length };
}
