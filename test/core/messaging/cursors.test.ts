// Cursors: which a block has, how they fold, and what a split and a merge make of them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type KnownIndexes, knownIndexesOf } from '../../../src/core/messaging/bundle-index.ts';
import { cursorsAtReference, foldSiblings, joinCursors, narrowCursors } from '../../../src/core/messaging/cursors.ts';
import { stepCursor } from '../../../src/core/messaging/stream.ts';
import { cursorAt, sourceOf } from './anchored-lanes.ts';
import { familiesIn, messageTo } from './messages.ts';

const to = (...shards: number[]) => shards.map((shard, salt) => messageTo(familiesIn(shard, 1)[0] as Uint8Array, salt));
const NO_INDEXES = knownIndexesOf(new Map());
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

  it('read no more than the shard', () => {
    assert.deepEqual(cursorsAtReference([cursorAt(3, 1, 6, 2)], 2, { sources: [listed(3, 4)] }), [cursorAt(3, 2, 6, 2)]);
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

  it('stands before a wide bundle until its index is shown, and reads only what is under its prefix', () => {
    assert.deepEqual(stepped(5, 0, 4), [6, 0, 0, undefined]);
    assert.deepEqual(stepped(5, 0, 4, knownOf(sender)), [6, 0, 0, 1]);
    assert.deepEqual(stepped(6, 2, 4, knownOf(sender)), [9, 0, undefined, undefined]);
    assert.deepEqual(stepped(6, 1, 5, knownOf(sender)), [6, 1, 0, 2]);
    assert.deepEqual(stepped(6, 3, 5), [9, 0, undefined, undefined], 'behind the last of it nothing is to be shown');
  });
});

describe('at a split', () => {
  it('prefixes narrow to the part, and what lies outside goes; heights and indexes stay', () => {
    const closed = [cursorAt(3, 2, 7, 5), cursorAt(6, 8, 4, 1), cursorAt(6, 9, 6, 2), cursorAt(6, 5, 4)];
    assert.deepEqual(narrowCursors(closed, 4), [cursorAt(3, 4, 7, 5), cursorAt(6, 8, 4, 1), cursorAt(6, 9, 6, 2)]);
    assert.deepEqual(narrowCursors(closed, 20), [cursorAt(3, 20, 7, 5), cursorAt(6, 20, 4)]);
  });

  it('each part goes on behind what the whole has read, in bundles inside it and in wider ones', () => {
    const sender = sourceOf(3, 9, [
      { height: 4, layout: [4, 5, 3], messages: to(5, 4, 5, 4, 5) },
      { height: 6, layout: [2, 3], messages: to(5, 4, 5, 4, 4) },
    ]);
    const next = (height: number, index: number, part: number) => {
      const [cursor] = narrowCursors([cursorAt(3, 2, height, index)], part);
      const { unread } = stepCursor(cursor as NonNullable<typeof cursor>, sender.source, knownOf(sender));
      return unread && [unread.outbox.height, unread.bundle, unread.index];
    };
    assert.deepEqual(
      [next(4, 1, 4), next(4, 1, 5)],
      [
        [4, 0, 1],
        [4, 1, 0],
      ],
    );
    assert.deepEqual(
      [next(4, 3, 4), next(4, 3, 5)],
      [
        [6, 0, 1],
        [4, 1, 1],
      ],
    );
    assert.deepEqual(
      [next(6, 2, 4), next(6, 2, 5)],
      [
        [6, 0, 3],
        [6, 0, 2],
      ],
    );
    assert.deepEqual([next(6, 4, 4), next(6, 4, 5)], [[6, 0, 4], undefined]);
  });
});

describe('at a merge', () => {
  it('both sets of cursors stand side by side, as they are', () => {
    const left = [cursorAt(3, 4, 7), cursorAt(6, 4, 2, 3)];
    const right = [cursorAt(3, 5, 7)];
    assert.deepEqual(joinCursors([left, right]), [left[0], right[0], left[1]]);
  });
});
