// Cursors: which a block has, how they fold, and what a split and a merge make of them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type KnownIndexes, knownIndexesOf, NO_INDEXES } from '../../../src/core/messaging/bundle-index.ts';
import { bundlesToNarrow, cursorsAtReference, foldSiblings, joinCursors, narrowCursors } from '../../../src/core/messaging/cursors.ts';
import { stepCursor } from '../../../src/core/messaging/stream.ts';
import { cursorAt, sourceOf } from './anchored-lanes.ts';
import { familiesIn, messageTo } from './messages.ts';

const to = (...shards: number[]) => shards.map((shard, salt) => messageTo(familiesIn(shard, 1)[0] as Uint8Array, salt));
const knownOf = ({ held }: ReturnType<typeof sourceOf>): KnownIndexes =>
  knownIndexesOf(new Map([...held].map(([name, { index }]) => [name, index])));

describe('the cursors of a block', () => {
  const listed = (shard: number, startHeight: number) => sourceOf(shard, startHeight, [], { startHeight }).source;

  it('are for exactly the listed sources: new ones begin behind their record, unlisted ones go', () => {
    const view = { sources: [listed(2, 4), listed(3, 7)] };
    assert.deepEqual(cursorsAtReference([cursorAt(2, 3, 9, 1), cursorAt(5, 3, 2)], 3, view), [cursorAt(2, 3, 9, 1), cursorAt(3, 3, 8)]);
  });

  it('are added for the parts of the shard only that have none', () => {
    const cursors = cursorsAtReference([cursorAt(3, 9, 6, 2)], 2, { sources: [listed(3, 4)] });
    assert.deepEqual(cursors, [cursorAt(3, 8, 5), cursorAt(3, 9, 6, 2), cursorAt(3, 5, 5)]);
  });
});

describe('siblings', () => {
  it('at the beginning of one height fold, repeatedly', () => {
    assert.deepEqual(foldSiblings([cursorAt(3, 8, 5), cursorAt(3, 9, 5), cursorAt(3, 5, 5)]), [cursorAt(3, 2, 5)]);
    assert.deepEqual(foldSiblings([cursorAt(3, 4, 5), cursorAt(3, 10, 5), cursorAt(3, 11, 5)]), [cursorAt(3, 2, 5)]);
  });

  it('do not fold within a height, at two heights or of two sources, nor who are none', () => {
    for (const cursors of [
      [cursorAt(3, 4, 5, 1), cursorAt(3, 5, 5, 1)],
      [cursorAt(3, 4, 5), cursorAt(3, 5, 5, 1)],
      [cursorAt(3, 4, 5), cursorAt(3, 5, 6)],
      [cursorAt(3, 4, 5), cursorAt(6, 5, 5)],
      [cursorAt(3, 5, 5), cursorAt(3, 6, 5)],
    ]) {
      assert.deepEqual(foldSiblings(cursors), cursors);
    }
  });
});

describe('a cursor', () => {
  const sender = sourceOf(3, 8, [
    { height: 4, layout: [4, 5, 3], messages: to(4, 5, 4) },
    { height: 6, layout: [2, 3], messages: to(5, 4, 5) },
    { height: 9, layout: [2, 3], messages: to(4) },
  ]);
  const { source } = sender;
  const stepped = (height: number, index: number, prefix: number, indexes = NO_INDEXES) => {
    const { cursor, unread } = stepCursor(cursorAt(3, prefix, height, index), source, indexes);
    return [cursor.height, cursor.index, unread?.bundle, unread?.index];
  };

  it('steps over heights that hold nothing for it, to the first that does, and no further than what is anchored', () => {
    assert.deepEqual(stepped(1, 0, 2), [4, 0, 0, 0]);
    assert.deepEqual(stepped(4, 3, 2), [6, 0, 0, 0]);
    assert.deepEqual(stepped(6, 3, 2), [9, 0, undefined, undefined]);
    assert.deepEqual(stepped(20, 0, 2), [20, 0, undefined, undefined]);
  });

  it('counts through the bundles inside its prefix, left to right', () => {
    assert.deepEqual(
      [0, 1, 2].map((index) => stepped(4, index, 2).slice(2)),
      [
        [0, 0],
        [0, 1],
        [1, 0],
      ],
    );
  });

  it('stands before a wide bundle until its index is shown, and counts only what is under its prefix', () => {
    assert.deepEqual(stepped(5, 0, 4), [6, 0, 0, undefined]);
    assert.deepEqual(stepped(5, 0, 4, knownOf(sender)), [6, 0, 0, 1]);
    assert.deepEqual(stepped(6, 1, 4, knownOf(sender)), [9, 0, undefined, undefined]);
    assert.deepEqual(stepped(6, 1, 5, knownOf(sender)), [6, 1, 0, 2]);
  });
});

describe('at a split', () => {
  const sender = sourceOf(3, 9, [
    { height: 4, layout: [4, 5, 3], messages: to(4, 5, 4, 5) },
    { height: 6, layout: [2, 3], messages: to(5, 4, 5, 4, 4) },
    { height: 7, layout: [4, 10, 11, 3], messages: to(4, 10, 10, 11) },
    { height: 8, layout: [1, 3].slice(0, 1), messages: to(4, 5, 4, 6, 4) },
  ]);
  const view = { sources: [sender.source] };
  const narrowed = (height: number, index: number, part: number, prefix = 2) => {
    const closed = [cursorAt(3, prefix, height, index), cursorAt(3, 3, 1)];
    const verdict = narrowCursors(closed, part, view, knownOf(sender));
    assert.ok(verdict.ok);
    const places = bundlesToNarrow(closed, part, view).map((place) => place.height);
    const without = narrowCursors(closed, part, view, NO_INDEXES);
    assert.equal(without.ok, places.length === 0, 'an index is asked for where one is needed');
    return verdict.value.map(({ prefix: under, index: counted }) => [under, counted]).concat(places.map((of) => ['needs', of] as never));
  };

  it('an index counts only what is under the new prefix, by the summary where the bundles are inside the parts', () => {
    assert.deepEqual(
      [0, 1, 2, 3].map((index) => narrowed(4, index, 4)[0]),
      [
        [4, 0],
        [4, 1],
        [4, 2],
        [4, 2],
      ],
    );
    assert.deepEqual(
      [0, 1, 2, 3].map((index) => narrowed(4, index, 5)[0]),
      [
        [5, 0],
        [5, 0],
        [5, 0],
        [5, 1],
      ],
    );
    assert.deepEqual(
      [1, 2, 3, 4].map((index) => narrowed(7, index, 5)[0]),
      [
        [5, 0],
        [5, 1],
        [5, 2],
        [5, 3],
      ],
    );
  });

  it('and by the index of a bundle that is wider than the part', () => {
    assert.deepEqual(narrowed(6, 0, 4), [[4, 0]], 'nothing was read: nothing is to be counted');
    assert.deepEqual(narrowed(6, 3, 4), [
      [4, 1],
      ['needs', 6],
    ]);
    assert.deepEqual(narrowed(6, 3, 5), [
      [5, 2],
      ['needs', 6],
    ]);
    assert.deepEqual(
      narrowed(8, 3, 4),
      [
        [4, 2],
        ['needs', 8],
      ],
      'wider than the cursor was, too',
    );
    assert.deepEqual(narrowed(7, 1, 20), [[20, 0]], 'no wide bundle was begun');
  });

  it('a cursor inside the part stays, one outside goes', () => {
    const cursors = [cursorAt(3, 8, 4, 1), cursorAt(3, 9, 6, 2), cursorAt(3, 5, 4)];
    assert.deepEqual(narrowCursors(cursors, 4, view, NO_INDEXES), { ok: true, value: cursors.slice(0, 2) });
  });
});

describe('at a merge', () => {
  it('both sets of cursors stand side by side, as they are', () => {
    const left = [cursorAt(3, 4, 7), cursorAt(6, 4, 2, 3)];
    const right = [cursorAt(3, 5, 7)];
    assert.deepEqual(joinCursors([left, right]), [left[0], right[0], left[1]]);
  });
});
