// Lanes while a block is made or checked (protocol, section 5, "Lanes"): each cursor with what it stands before, stepped on as messages are
// taken. Both sides walk the same lanes by the same rules: the leader to choose, the voter to check.
import { invariant } from '../primitives/errors.ts';
import type { ChainId, Height } from '../primitives/ids.ts';
import type { Cursor } from '../protocol/block.ts';
import { intersects, isUnder, type Placement } from '../protocol/shard-id.ts';
import type { KnownIndexes } from './bundle-index.ts';
import { compareCursors, foldSiblings } from './cursors.ts';
import { type Anchor, type LaneSource, type LaneView, sourceIn } from './lane-view.ts';
import { cursorBehind, stepCursor, type UnreadMessage } from './stream.ts';

/** One cursor on its way through a block. */
export interface Lane {
  readonly source: LaneSource;
  /** Always stepped over what is finished. */
  cursor: Cursor;
  /** What the cursor stands before; undefined where all that is anchored is read. */
  unread: UnreadMessage | undefined;
  /** Lanes of other sources whose subtree intersects this source's. */
  related: readonly Lane[];
}

/** The place of a message in the order of taking. */
export interface TakeKey extends Anchor {
  readonly bundle: number;
  readonly index: number;
}

/** By beacon height of the anchor, operation index, header height and bundle; within a bundle by index. */
export function compareTakeKeys(a: TakeKey, b: TakeKey): number {
  return (
    a.beaconHeight - b.beaconHeight ||
    a.operationIndex - b.operationIndex ||
    a.headerHeight - b.headerHeight ||
    a.bundle - b.bundle ||
    a.index - b.index
  );
}

/** The key of what a lane stands before. A bundle whose index is not known is where its index would be read: before its messages. */
export function takeKeyOf({ outbox, bundle, index }: Omit<UnreadMessage, 'before'>): TakeKey {
  return { ...outbox.anchor, bundle, index: index ?? -1 };
}

/** The lanes of a block that begins with these cursors (cursors.ts, `cursorsAtReference`). */
export function openLanes(cursors: readonly Cursor[], view: LaneView, indexes: KnownIndexes): Lane[] {
  const lanes = cursors.map((cursor): Lane => {
    const source = sourceIn(view, cursor.source);
    invariant(source !== undefined, 'a block has cursors of listed sources only');
    return { source, ...stepCursor(cursor, source, indexes), related: [] };
  });
  const bySource = Map.groupBy(lanes, ({ source }) => source.shard);
  const relatedTo = new Map<ChainId, readonly Lane[]>();
  for (const source of bySource.keys()) {
    const others = [...bySource].filter(([other]) => other !== source && intersects(other, source));
    relatedTo.set(
      source,
      others.flatMap(([, ofOther]) => ofOther),
    );
  }
  for (const lane of lanes) lane.related = relatedTo.get(lane.source.shard) ?? [];
  return lanes;
}

/** The lane of this source that a message with this placement is in. */
export function laneOf(lanes: readonly Lane[], source: ChainId, placement: Placement): Lane | undefined {
  return lanes.find(({ cursor }) => cursor.source === source && isUnder(placement, cursor.prefix));
}

/**
 * A message of a source is not taken while an unread one of lower height exists from another listed source whose subtree intersects that
 * source's ⚠: before a split or merge one family sent from the one, after it from the other. A wide bundle whose index nobody shows counts as
 * unread.
 */
export function hasEarlierUnread(lane: Lane, height: Height): boolean {
  return lane.related.some((other) => other.unread !== undefined && other.cursor.height < height);
}

/** The first unread message of the lane was taken. */
export function advanceLane(lane: Lane, indexes: KnownIndexes): void {
  if (lane.unread !== undefined) moveLane(lane, cursorBehind(lane.cursor, lane.unread), indexes);
}

/** More indexes are known: the lane may know now what it stands before. */
export function refreshLane(lane: Lane, indexes: KnownIndexes): void {
  moveLane(lane, lane.cursor, indexes);
}

function moveLane(lane: Lane, cursor: Cursor, indexes: KnownIndexes): void {
  const stepped = stepCursor(cursor, lane.source, indexes);
  lane.cursor = stepped.cursor;
  lane.unread = stepped.unread;
}

/** The cursors that the block leaves, in normal form: each before something unread or behind all that is anchored, siblings folded. */
export function closeLanes(lanes: readonly Lane[]): Cursor[] {
  return foldSiblings(lanes.map(({ cursor }) => cursor).sort(compareCursors));
}
