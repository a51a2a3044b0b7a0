// What a leader takes of other shards' messages (protocol, section 5, "Lanes"): of those that it holds, in the order of their anchors, up to
// the inbox share in weight and bytes, proofs and indexes counted. A lane stops before the first message that does not fit, and before one
// whose bundle the leader does not hold; the others go on.
import { BUNDLE_INDEXES_PER_BODY_MAX, INBOX_ITEMS_PER_BODY_MAX } from '../protocol/limits.ts';
import type { BundleIndex } from '../protocol/outbox.ts';
import { knownIndexesOf } from './bundle-index.ts';
import { cursorsAtReference } from './cursors.ts';
import { type HeldBundle, makeCarriedIndex } from './held-bundle.ts';
import { compareBundlePlaces, type InboxInput } from './inbox.ts';
import { makeInboxItem } from './inbox-item.ts';
import { type BundleName, bundleNameOf } from './lane-view.ts';
import { advanceLane, compareTakeKeys, hasEarlierUnread, type Lane, openLanes, refreshLane, takeKeyOf } from './lanes.ts';

/** The bundles that a node holds, each proved against its outbox's anchored summary. */
export type HeldBundles = ReadonlyMap<BundleName, HeldBundle>;

/** What a leader chooses from. */
export interface SelectionInput extends Omit<InboxInput, 'body'> {
  readonly held: HeldBundles;
}

/** See the file's head. What it gives is a valid inbox (inbox.ts). */
export function selectInbox(input: SelectionInput): InboxInput['body'] {
  const { shard, parentCursors, view, share, held } = input;
  const carried = new Map<BundleName, HeldBundle>();
  const indexes = new Map<BundleName, BundleIndex>();
  const known = knownIndexesOf(indexes);
  let bytesLeft = share.inboxBytesShare;
  let weightLeft = share.inboxGasShare;
  const carry = (bundle: HeldBundle): boolean => {
    const bytes = makeCarriedIndex(bundle).length;
    if (bytes > bytesLeft || carried.size === BUNDLE_INDEXES_PER_BODY_MAX) return false;
    bytesLeft -= bytes;
    carried.set(bundleNameOf(bundle.place), bundle);
    indexes.set(bundleNameOf(bundle.place), bundle.index);
    return true;
  };
  const lanes = openLanes(cursorsAtReference(parentCursors, shard, view), view, known);
  const inbox: Uint8Array[] = [];
  const take = (bundle: HeldBundle, index: number): boolean => {
    const item = makeInboxItem(bundle, index);
    const weight = bundle.weights[index] as number;
    if (item.length > bytesLeft || weight > weightLeft || inbox.length === INBOX_ITEMS_PER_BODY_MAX) return false;
    bytesLeft -= item.length;
    weightLeft -= weight;
    inbox.push(item);
    return true;
  };
  const stopped = new Set<Lane>();
  for (let lane = nextLane(lanes, stopped); lane !== undefined; lane = nextLane(lanes, stopped)) {
    const { unread, cursor } = lane;
    const bundle = unread && held.get(bundleNameOf({ source: cursor.source, height: unread.outbox.height, bundle: unread.bundle }));
    if (unread === undefined || bundle === undefined || hasEarlierUnread(lane, cursor.height)) {
      stopped.add(lane);
    } else if (unread.index === undefined) {
      if (carry(bundle)) for (const other of lanes) refreshLane(other, known);
      else stopped.add(lane);
    } else if (take(bundle, unread.index)) advanceLane(lane, known);
    else stopped.add(lane);
  }
  const bundleIndexes = [...carried.values()].sort((a, b) => compareBundlePlaces(a.place, b.place)).map(makeCarriedIndex);
  return { inbox, bundleIndexes };
}

// Of the lanes that have not stopped, the one whose next message comes first.
function nextLane(lanes: readonly Lane[], stopped: ReadonlySet<Lane>): Lane | undefined {
  let first: Lane | undefined;
  for (const lane of lanes) {
    if (lane.unread === undefined || stopped.has(lane)) continue;
    if (first?.unread === undefined || compareTakeKeys(takeKeyOf(lane.unread), takeKeyOf(first.unread)) < 0) first = lane;
  }
  return first;
}
