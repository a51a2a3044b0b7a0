// Cursors (protocol, section 5, "Lanes" ⚠): how far a shard has read each stream (source, prefix). The prefixes of a source cover the shard and
// do not overlap; every block has cursors for exactly the sources listed at its reference. They are the whole of exactly-once: no list of
// what was executed is kept anywhere.
import type { ChainId } from '../primitives/ids.ts';
import type { Cursor } from '../protocol/block.ts';
import { comparePlaces, contains, intersects, parentOf, siblingOf, uncoveredBy } from '../protocol/shard-id.ts';
import type { LaneSource, LaneView } from './lane-view.ts';

/** The order of cursors in a header: by source, then from left to right. */
export function compareCursors(a: Cursor, b: Cursor): number {
  return a.source - b.source || comparePlaces(a.prefix, b.prefix);
}

/**
 * What a block begins with: its parent's cursors without those of sources no longer listed, and new ones where a listed source has none for
 * a part of the shard. A part, because at a merge one child may have closed before the source was listed and the other after. No cursor
 * reads more than the shard, whatever the record says.
 */
export function cursorsAtReference(parent: readonly Cursor[], shard: ChainId, view: LaneView): Cursor[] {
  const own = narrowCursors(parent, shard);
  return view.sources.flatMap((source) => {
    const kept = own.filter((cursor) => cursor.source === source.shard);
    const covered = kept.map(({ prefix }) => prefix);
    const added = uncoveredBy(shard, covered).map((prefix) => newCursor(source, prefix));
    return [...kept, ...added].sort(compareCursors);
  });
}

/** Behind the record with which the source was listed. */
function newCursor({ shard, startHeight }: LaneSource, prefix: ChainId): Cursor {
  return { source: shard, prefix, height: startHeight + 1, index: 0 };
}

/** Siblings that both stand at the beginning of one height become one cursor of their parent's prefix, repeatedly. Takes them in order. */
export function foldSiblings(cursors: readonly Cursor[]): Cursor[] {
  const folded: Cursor[] = [];
  for (const cursor of cursors) {
    let last = cursor;
    for (let before = folded.at(-1); before !== undefined && mayFold(before, last); before = folded.at(-1)) {
      folded.pop();
      last = { ...last, prefix: parentOf(last.prefix) };
    }
    folded.push(last);
  }
  return folded;
}

function mayFold(a: Cursor, b: Cursor): boolean {
  const areSiblings = a.source === b.source && a.prefix !== b.prefix && siblingOf(a.prefix) === b.prefix;
  return areSiblings && a.height === b.height && a.index === 0 && b.index === 0;
}

/** The cursors of a record that replaces several closed ones: side by side under their prefixes. The first block of the record folds them. */
export function joinCursors(parts: readonly (readonly Cursor[])[]): Cursor[] {
  return parts.flat().sort(compareCursors);
}

/**
 * The cursors of a record for a part of a closed shard: prefixes narrowed to the part, what lies outside left out. Heights and indexes stay,
 * because an index is a position in the outbox whatever the prefix: nobody has to show anything, so nothing can keep the record from starting.
 */
export function narrowCursors(closed: readonly Cursor[], part: ChainId): Cursor[] {
  return closed
    .filter(({ prefix }) => intersects(prefix, part))
    .map((cursor) => (contains(part, cursor.prefix) ? cursor : { ...cursor, prefix: part }));
}
