// Streams (protocol, section 5, "Cursors"): the messages of one source whose key lies under one prefix, ordered by (source height, bundle left
// to right, index); a cursor's index counts only these. Bundles go by the layout that the source had, so at one height a stream has either the
// messages of several bundles inside the prefix, whole, or a part of one bundle that is wider, which only its index tells.
import type { Height } from '../primitives/ids.ts';
import type { Cursor } from '../protocol/block.ts';
import { contains, intersects } from '../protocol/shard-id.ts';
import { isWide, type KnownIndexes } from './bundle-index.ts';
import { type AnchoredOutbox, firstOutboxFrom, type LaneSource, lastKnownHeight } from './lane-view.ts';

/** The first message of a stream that is not read: known, or somewhere in a wide bundle whose index is not known. */
export interface UnreadMessage {
  readonly outbox: AnchoredOutbox;
  /** Position in the outbox's summary. */
  readonly bundle: number;
  /** In the bundle; undefined where the bundle is wide and its index not known. */
  readonly index: number | undefined;
}

/** What is unread at the cursor's own height; undefined where that is finished. */
function unreadAt(cursor: Cursor, outbox: AnchoredOutbox, indexes: KnownIndexes): UnreadMessage | undefined {
  let before = 0;
  for (const [bundle, { destination, messageCount }] of outbox.summary.bundles.entries()) {
    if (isWide(destination, cursor.prefix)) {
      const positions = indexes.positionsUnder({ source: cursor.source, height: outbox.height, bundle }, cursor.prefix);
      // A height with a wide bundle whose index nobody shows counts as unfinished ⚠.
      if (positions === undefined) return { outbox, bundle, index: undefined };
      const index = positions[cursor.index];
      return index === undefined ? undefined : { outbox, bundle, index };
    }
    if (!contains(cursor.prefix, destination)) continue;
    if (cursor.index < before + messageCount) return { outbox, bundle, index: cursor.index - before };
    before += messageCount;
  }
  return undefined;
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

/** How many of the first messages of a stream at the cursor's height are under a prefix inside the cursor's; undefined without an index that tells. */
export function countReadUnder(cursor: Cursor, prefix: number, outbox: AnchoredOutbox, indexes: KnownIndexes): number | undefined {
  let left = cursor.index;
  let count = 0;
  for (const [bundle, { destination, messageCount }] of outbox.summary.bundles.entries()) {
    if (left === 0) break;
    if (!intersects(destination, cursor.prefix)) continue;
    const place = { source: cursor.source, height: outbox.height, bundle };
    if (isWide(destination, prefix)) {
      const ofCursor = contains(destination, cursor.prefix) ? indexes.positionsUnder(place, cursor.prefix) : undefined;
      const ofPrefix = indexes.positionsUnder(place, prefix);
      if (ofPrefix === undefined) return undefined;
      const firstUnread = ofCursor === undefined ? left : (ofCursor[left] ?? messageCount);
      count += ofPrefix.filter((position) => position < firstUnread).length;
      left -= Math.min(left, ofCursor?.length ?? messageCount);
      continue;
    }
    const read = Math.min(left, messageCount);
    if (contains(prefix, destination)) count += read;
    left -= read;
  }
  return count;
}

function atHeight(cursor: Cursor, height: Height): Cursor {
  return height === cursor.height ? cursor : { ...cursor, height, index: 0 };
}
