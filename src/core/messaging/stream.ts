// Streams (protocol, section 5, "Cursors"): the messages of one source whose key lies under one prefix, ordered by (source height, bundle left
// to right, index). A cursor's index is a position among all messages of the outbox, bundle after bundle: what is under its prefix and stands
// before it is read (decision 014). Bundles go by the layout that the source had, so at one height a stream has either the messages of
// several bundles inside the prefix, whole, or a part of one bundle that is wider, which only its index tells.
import type { Height } from '../primitives/ids.ts';
import type { Cursor } from '../protocol/block.ts';
import { intersects } from '../protocol/shard-id.ts';
import { isWide, type KnownIndexes } from './bundle-index.ts';
import { type AnchoredOutbox, firstOutboxFrom, type LaneSource, lastKnownHeight } from './lane-view.ts';

/** The first message of a stream that is not read: known, or somewhere in a wide bundle whose index is not known. */
export interface UnreadMessage {
  readonly outbox: AnchoredOutbox;
  /** Position in the outbox's summary. */
  readonly bundle: number;
  /** In the bundle; undefined where the bundle is wide and its index not known. */
  readonly index: number | undefined;
  /** Messages of the outbox in bundles before this one. */
  readonly before: number;
}

/** What is unread at the cursor's own height; undefined where that is finished. */
function unreadAt(cursor: Cursor, outbox: AnchoredOutbox, indexes: KnownIndexes): UnreadMessage | undefined {
  let before = 0;
  for (const [bundle, { destination, messageCount }] of outbox.summary.bundles.entries()) {
    const from = Math.max(0, cursor.index - before);
    if (from < messageCount && intersects(destination, cursor.prefix)) {
      const index = isWide(destination, cursor.prefix) ? firstUnder(cursor, outbox, bundle, from, indexes) : from;
      if (index !== 'none') return { outbox, bundle, index, before };
    }
    before += messageCount;
  }
  return undefined;
}

// Of a wide bundle. A height with one whose index nobody shows counts as unfinished ⚠.
function firstUnder(
  { source, prefix }: Cursor,
  { height }: AnchoredOutbox,
  bundle: number,
  from: number,
  indexes: KnownIndexes,
): number | 'none' | undefined {
  const positions = indexes.positionsUnder({ source, height, bundle }, prefix);
  return positions === undefined ? undefined : (positions.find((position) => position >= from) ?? 'none');
}

/**
 * The cursor, stepped over every finished height up to the last one that is anchored, and what it stands before then: nothing where all that
 * is anchored is read.
 */
export function stepCursor(
  cursor: Cursor,
  source: LaneSource,
  indexes: KnownIndexes,
): { readonly cursor: Cursor; readonly unread: UnreadMessage | undefined } {
  const end = lastKnownHeight(source) + 1;
  let at = cursor;
  for (let next = firstOutboxFrom(source, cursor.height); ; next++) {
    const outbox = source.outboxes[next];
    if (outbox === undefined || outbox.height >= end) return { cursor: atHeight(at, Math.max(at.height, end)), unread: undefined };
    at = atHeight(at, outbox.height);
    const unread = unreadAt(at, outbox, indexes);
    if (unread !== undefined) return { cursor: at, unread };
    at = atHeight(at, outbox.height + 1);
  }
}

/** The cursor behind a message that was unread and is taken. */
export function cursorBehind(cursor: Cursor, { before, index }: UnreadMessage): Cursor {
  return index === undefined ? cursor : { ...cursor, index: before + index + 1 };
}

function atHeight(cursor: Cursor, height: Height): Cursor {
  return height === cursor.height ? cursor : { ...cursor, height, index: 0 };
}
