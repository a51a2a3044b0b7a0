import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PendingBlocks } from '../../src/runtime/pending-blocks.ts';

const placeOf = (height: number, name: number) => ({ height, hash: new Uint8Array(32).fill(name) });

describe('blocks that are voted for and not committed', () => {
  it('are given out once, up to a height, with what a start found', () => {
    const pending = new PendingBlocks([placeOf(3, 1), placeOf(5, 2)]);
    pending.stored(placeOf(4, 3));
    pending.stored(placeOf(6, 4));
    assert.deepEqual(pending.takeUpTo(4), [placeOf(3, 1), placeOf(4, 3)]);
    assert.deepEqual(pending.takeUpTo(4), []);
    assert.deepEqual(pending.takeUpTo(6), [placeOf(5, 2), placeOf(6, 4)]);
  });

  it('are given out by the next commit where they came to be on disk after their own', () => {
    const pending = new PendingBlocks([]);
    assert.deepEqual(pending.takeUpTo(8), []);
    pending.stored(placeOf(8, 1));
    assert.deepEqual(pending.takeUpTo(9), [placeOf(8, 1)]);
  });
});
