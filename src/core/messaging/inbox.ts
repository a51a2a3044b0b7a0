// The inbox of a block, checked (protocol, section 5, "Lanes"): a rule of validity, so it depends on the parent's cursors, the sources listed
// at the block's reference and the body, never on what a node holds. One rule, one function. What a leader should have taken and did not is a
// voting rule (skipped-item.ts).
import type { ChainId } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import type { BlockBody, Cursor } from '../protocol/block.ts';
import type { Message } from '../protocol/message.ts';
import type { BundleIndex } from '../protocol/outbox.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';
import {
  type CarriedBundleIndex,
  decodeBundleIndex,
  isWide,
  type KnownIndexes,
  knownIndexesOf,
  verifyBundleIndex,
} from './bundle-index.ts';
import { cursorsAtReference } from './cursors.ts';
import { decodeInboxItem, type InboxItem, verifyInboxItem } from './inbox-item.ts';
import { type AnchoredOutbox, type BundleName, type BundlePlace, bundleNameOf, type LaneView, outboxAt, sourceIn } from './lane-view.ts';
import {
  advanceLane,
  closeLanes,
  compareTakeKeys,
  hasEarlierUnread,
  type Lane,
  laneOf,
  openLanes,
  type TakeKey,
  takeKeyOf,
} from './lanes.ts';
import { weightOf } from './message-weight.ts';
import { placementOf } from './placement.ts';

/** What a block may take of other shards' messages. */
export type InboxShare = Pick<NetworkParameters, 'inboxGasShare' | 'inboxBytesShare'>;

/** What an inbox is checked against. */
export interface InboxInput {
  readonly shard: ChainId;
  /** As the header commits them. */
  readonly parentCursors: readonly Cursor[];
  /** At the block's beacon reference. */
  readonly view: LaneView;
  readonly body: Pick<BlockBody, 'inbox' | 'bundleIndexes'>;
  readonly share: InboxShare;
}

/** One message or index that a body takes of the share. */
export interface TakenShare {
  readonly key: TakeKey;
  readonly weight: number;
  readonly bytes: number;
}

/** What a valid inbox comes to. */
export interface VerifiedInbox {
  /** Wave 0 of the block, before its transactions. */
  readonly messages: readonly Message[];
  /** After the block. */
  readonly cursors: readonly Cursor[];
  /** In order of their keys. */
  readonly taken: readonly TakenShare[];
  readonly indexes: KnownIndexes;
}

/** Which rule an inbox breaks: stable, a label of metrics. */
export type InboxRefusal =
  | 'malformed-index'
  | 'index-out-of-order'
  | 'index-not-anchored'
  | 'index-not-wide'
  | 'wrong-index-root'
  | 'index-not-used'
  | 'malformed-item'
  | 'item-not-anchored'
  | 'wrong-proof'
  | 'item-out-of-order'
  | 'item-of-no-lane'
  | 'item-not-next'
  | 'item-before-earlier'
  | 'inbox-too-heavy'
  | 'inbox-too-long';

interface ReadIndexes {
  readonly known: KnownIndexes;
  readonly carried: readonly { readonly place: BundlePlace; readonly destination: ChainId }[];
  readonly taken: readonly TakenShare[];
}

interface ReadItem {
  readonly item: InboxItem;
  readonly outbox: AnchoredOutbox;
  readonly message: Message;
  readonly share: TakenShare;
}

const PASSED = accept(undefined);

/** See the file's head. */
export function verifyInbox({ shard, parentCursors, view, body, share }: InboxInput): Verdict<VerifiedInbox, InboxRefusal> {
  const indexes = readIndexes(view, body.bundleIndexes);
  if (!indexes.ok) return indexes;
  const { known, carried } = indexes.value;
  const cursors = cursorsAtReference(parentCursors, shard, view);
  const wide = carriesWideOnly(carried, cursors);
  if (!wide.ok) return wide;
  const lanes = openLanes(cursors, view, known);
  const messages: Message[] = [];
  const taken = [...indexes.value.taken];
  let lastKey: TakeKey | undefined;
  for (const bytes of body.inbox) {
    const read = readItem(view, bytes);
    if (!read.ok) return read;
    const lane = takeNext(lanes, read.value, lastKey);
    if (!lane.ok) return lane;
    advanceLane(lane.value, known);
    messages.push(read.value.message);
    taken.push(read.value.share);
    lastKey = read.value.share.key;
  }
  const after = closeLanes(lanes);
  const used = carriesUsedOnly(carried, lanes);
  if (!used.ok) return used;
  const within = staysWithinShare(taken, share);
  if (!within.ok) return within;
  return accept({ messages, cursors: after, taken: taken.sort((a, b) => compareTakeKeys(a.key, b.key)), indexes: known });
}

/** The indexes that a body carries, if each is the one that an anchored outbox commits; ascending by (source, height, bundle), so none twice. */
function readIndexes(view: LaneView, bundleIndexes: readonly Uint8Array[]): Verdict<ReadIndexes, InboxRefusal> {
  const byName = new Map<BundleName, BundleIndex>();
  const carried: { readonly place: BundlePlace; readonly destination: ChainId }[] = [];
  const taken: TakenShare[] = [];
  let last: CarriedBundleIndex | undefined;
  for (const bytes of bundleIndexes) {
    const decoded = decodeBundleIndex(bytes);
    if (!decoded.ok) return refuse('malformed-index', decoded.detail);
    const place = decoded.value;
    if (last !== undefined && compareBundlePlaces(last, place) >= 0) return refuse('index-out-of-order', bundleNameOf(place));
    last = place;
    const outbox = anchoredOutboxOf(view, place);
    const destination = outbox?.summary.bundles[place.bundle]?.destination;
    if (outbox === undefined || destination === undefined) return refuse('index-not-anchored', bundleNameOf(place));
    const index = verifyBundleIndex(place, outbox.summary);
    if (!index.ok) return index;
    byName.set(bundleNameOf(place), index.value);
    carried.push({ place, destination });
    taken.push({ key: takeKeyOf({ outbox, bundle: place.bundle, index: undefined }), weight: 0, bytes: bytes.length });
  }
  return accept({ known: knownIndexesOf(byName), carried, taken });
}

/** The order of `bundleIndexes` in a body. */
export function compareBundlePlaces(a: BundlePlace, b: BundlePlace): number {
  return a.source - b.source || a.height - b.height || a.bundle - b.bundle;
}

/** A carried index is of a bundle that is wide for a cursor which has not passed it: no other is of any use. */
function carriesWideOnly(carried: ReadIndexes['carried'], cursors: readonly Cursor[]): Verdict<undefined, InboxRefusal> {
  const useless = carried.find(
    ({ place, destination }) =>
      !cursors.some(({ source, prefix, height }) => source === place.source && height <= place.height && isWide(destination, prefix)),
  );
  return useless === undefined ? PASSED : refuse('index-not-wide', bundleNameOf(useless.place));
}

/** After the block a cursor for which the bundle is wide has reached its height: indexes that are not needed yet cost all who follow. */
function carriesUsedOnly(carried: ReadIndexes['carried'], lanes: readonly Lane[]): Verdict<undefined, InboxRefusal> {
  const early = carried.find(
    ({ place, destination }) =>
      !lanes.some(({ cursor }) => cursor.source === place.source && cursor.height >= place.height && isWide(destination, cursor.prefix)),
  );
  return early === undefined ? PASSED : refuse('index-not-used', bundleNameOf(early.place));
}

function readItem(view: LaneView, bytes: Uint8Array): Verdict<ReadItem, InboxRefusal> {
  const decoded = decodeInboxItem(bytes);
  if (!decoded.ok) return refuse('malformed-item', decoded.detail);
  const item = decoded.value;
  const outbox = anchoredOutboxOf(view, item);
  if (outbox === undefined) return refuse('item-not-anchored', bundleNameOf(item));
  const message = verifyInboxItem(item, outbox.summary);
  if (!message.ok) return message;
  const { bundle, index } = item;
  const share = { key: takeKeyOf({ outbox, bundle, index }), weight: weightOf(message.value), bytes: bytes.length };
  return accept({ item, outbox, message: message.value, share });
}

function anchoredOutboxOf(view: LaneView, { source, height }: BundlePlace): AnchoredOutbox | undefined {
  const listed = sourceIn(view, source);
  return listed === undefined ? undefined : outboxAt(listed, height);
}

// The lane whose next message this is, if all rules of order hold.
function takeNext(lanes: readonly Lane[], read: ReadItem, lastKey: TakeKey | undefined): Verdict<Lane, InboxRefusal> {
  const { item, message, share } = read;
  const lane = laneOf(lanes, item.source, placementOf(message));
  if (lane === undefined) return refuse('item-of-no-lane', bundleNameOf(item));
  for (const verdict of [followsInOrder(share.key, lastKey), isNextOf(lane, item), leavesNothingEarlier(lane, item)]) {
    if (!verdict.ok) return verdict;
  }
  return accept(lane);
}

function followsInOrder(key: TakeKey, lastKey: TakeKey | undefined): Verdict<undefined, InboxRefusal> {
  const follows = lastKey === undefined || compareTakeKeys(lastKey, key) < 0;
  return follows ? PASSED : refuse('item-out-of-order', `header height ${key.headerHeight}, bundle ${key.bundle}, index ${key.index}`);
}

function isNextOf(lane: Lane, item: InboxItem): Verdict<undefined, InboxRefusal> {
  const { unread } = lane;
  const isNext = unread?.outbox.height === item.height && unread.bundle === item.bundle && unread.index === item.index;
  return isNext ? PASSED : refuse('item-not-next', `${bundleNameOf(item)}, index ${item.index}`);
}

function leavesNothingEarlier(lane: Lane, item: InboxItem): Verdict<undefined, InboxRefusal> {
  return hasEarlierUnread(lane, item.height) ? refuse('item-before-earlier', bundleNameOf(item)) : PASSED;
}

/** In weight, and in bytes with all proofs and indexes. */
function staysWithinShare(taken: readonly TakenShare[], { inboxGasShare, inboxBytesShare }: InboxShare): Verdict<undefined, InboxRefusal> {
  const weight = taken.reduce((sum, part) => sum + part.weight, 0);
  if (weight > inboxGasShare) return refuse('inbox-too-heavy', `${weight} of ${inboxGasShare}`);
  const bytes = taken.reduce((sum, part) => sum + part.bytes, 0);
  return bytes <= inboxBytesShare ? PASSED : refuse('inbox-too-long', `${bytes} of ${inboxBytesShare} bytes`);
}
