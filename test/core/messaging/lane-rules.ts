// The rules of the lanes as a record of functions, so that the model can be run with one of them broken.
import { knownIndexesOf } from '../../../src/core/messaging/bundle-index.ts';
import { cursorsAtReference, joinCursors, narrowCursors } from '../../../src/core/messaging/cursors.ts';
import type { LaneView } from '../../../src/core/messaging/lane-view.ts';
import { closeLanes, hasEarlierUnread, type Lane } from '../../../src/core/messaging/lanes.ts';
import { mayForgetBundle, mayUnlist } from '../../../src/core/messaging/retention.ts';
import type { Cursor } from '../../../src/core/protocol/block.ts';
import { parentOf, siblingOf } from '../../../src/core/protocol/shard-id.ts';

/** Every rule that the model applies. */
export interface LaneRules {
  readonly cursorsAtReference: typeof cursorsAtReference;
  readonly knownIndexesOf: typeof knownIndexesOf;
  readonly hasEarlierUnread: (lane: Lane, height: number) => boolean;
  readonly closeLanes: (lanes: readonly Lane[]) => Cursor[];
  readonly narrow: (closed: readonly Cursor[], part: number) => readonly Cursor[];
  readonly join: (parts: readonly (readonly Cursor[])[]) => readonly Cursor[];
  readonly mayForgetBundle: typeof mayForgetBundle;
  readonly mayUnlist: typeof mayUnlist;
  /** What a block sees of the beacon at its reference. */
  readonly viewSeen: (view: LaneView) => LaneView;
  /** A source keeps the height with which it was listed when a later record replaces the first. */
  readonly keepsStartHeight: boolean;
  /** A record that is closed at X goes on from what X commits: X's own reads are void. */
  readonly voidsLastBody: boolean;
}

/** As they are. */
export const RULES: LaneRules = {
  cursorsAtReference,
  knownIndexesOf,
  hasEarlierUnread,
  closeLanes,
  narrow: narrowCursors,
  join: joinCursors,
  mayForgetBundle,
  mayUnlist,
  viewSeen: (view) => view,
  keepsStartHeight: true,
  voidsLastBody: true,
};

function foldedWhere(cursors: readonly Cursor[], mayFold: (a: Cursor, b: Cursor) => boolean): Cursor[] {
  const folded: Cursor[] = [];
  for (const cursor of cursors) {
    let last = cursor;
    for (let before = folded.at(-1); before !== undefined && mayFold(before, last); before = folded.at(-1)) {
      folded.pop();
      last = { ...last, prefix: parentOf(last.prefix), height: Math.max(before.height, last.height), index: last.index };
    }
    folded.push(last);
  }
  return folded;
}

const areSiblings = (a: Cursor, b: Cursor): boolean => a.source === b.source && a.prefix !== b.prefix && siblingOf(a.prefix) === b.prefix;
const passed = (cursors: readonly Cursor[], source: number, height: number): boolean =>
  cursors.every((cursor) => cursor.source !== source || cursor.height > height);

/** Each with one rule broken. */
export const BROKEN_RULES: Readonly<Record<string, Partial<LaneRules>>> = {
  'a missing cursor is taken for a passed one': {
    mayUnlist: (source, height, records) => records.every(({ cursors }) => passed(cursors, source, height)),
    mayForgetBundle: (source, height, _destination, records) => records.every(({ cursors }) => passed(cursors, source, height)),
  },
  'a source is dropped when one record has passed it': {
    mayUnlist: (source, height, records) => records.some((record) => mayUnlist(source, height, [record])),
  },
  'a bundle is forgotten when one record has passed it': {
    mayForgetBundle: (source, height, destination, records) =>
      records.some((record) => mayForgetBundle(source, height, destination, [record])),
  },
  'a later record moves where new cursors of a source start': { keepsStartHeight: false },
  'new cursors are added only for sources without any': {
    cursorsAtReference: (parent, shard, view) =>
      view.sources.flatMap((source) => {
        const kept = parent.filter((cursor) => cursor.source === source.shard);
        return kept.length > 0 ? kept : cursorsAtReference([], shard, { sources: [source] });
      }),
  },
  'siblings fold at different heights': { closeLanes: (lanes) => foldedWhere(closeLanes(lanes), areSiblings) },
  'siblings do not fold': { closeLanes: (lanes) => lanes.map(({ cursor }) => cursor) },
  'an index starts again at a split': {
    narrow: (closed, part) => narrowCursors(closed, part).map((cursor) => ({ ...cursor, index: 0 })),
  },
  'a merge keeps one child’s cursors for both': {
    join: (parts) =>
      parts.length < 2 ? joinCursors(parts) : (parts[0] ?? []).map((cursor) => ({ ...cursor, prefix: parentOf(cursor.prefix) })),
  },
  'the order between a source and what came of it is ignored': { hasEarlierUnread: () => false },
  'a wide bundle whose index nobody shows counts as finished': {
    knownIndexesOf(indexes) {
      const known = knownIndexesOf(indexes);
      return { positionsUnder: (place, prefix) => known.positionsUnder(place, prefix) ?? [] };
    },
  },
  'an index counts all messages of a wide bundle': {
    knownIndexesOf(indexes) {
      const known = knownIndexesOf(indexes);
      return {
        positionsUnder(place, prefix) {
          const last = known.positionsUnder(place, prefix)?.at(-1);
          return last === undefined ? known.positionsUnder(place, prefix) : Array.from({ length: last + 1 }, (_unused, at) => at);
        },
      };
    },
  },
  'cursors step over heights that are not anchored': {
    viewSeen: ({ sources }) => ({
      sources: sources.map((source) => ({ ...source, lastAnchoredHeight: source.lastAnchoredHeight + 1 })),
    }),
  },
  'a takeover keeps what the last header’s own body read': { voidsLastBody: false },
};
