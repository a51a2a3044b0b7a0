// Loads through changes of the layout: what a child, or what follows two, inherits.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inheritedLoad, NO_LOAD } from '../../../src/core/beacon/load.ts';
import type { Load } from '../../../src/core/protocol/block.ts';
import type { LoadEntry } from '../../../src/core/protocol/load-type.ts';

const entryFor = (gas: number): LoadEntry => ({ gas, backlog: 2 * gas, stateLeaves: 3 * gas });
/** Node i of the load is `sign * i`. */
const loadOf = (sign: number): Load => ({
  whole: entryFor(sign),
  descendants: Array.from({ length: 14 }, (_unused, index) => entryFor(sign * (index + 2))),
});
const gasOf = ({ whole, descendants }: Load): number[] => [whole, ...descendants].map(({ gas }) => gas);

describe('the load of a new record', () => {
  it('is the old one where the shard stays', () => {
    assert.deepEqual(inheritedLoad(5, [{ shard: 5, load: loadOf(1) }]), loadOf(1));
  });

  it('is the parent’s part for a child, as deep as it is known', () => {
    const nothing = (count: number): number[] => new Array(count).fill(0);
    assert.deepEqual(gasOf(inheritedLoad(11, [{ shard: 5, load: loadOf(1) }])), [3, 6, 7, 12, 13, 14, 15, ...nothing(8)]);
    assert.deepEqual(gasOf(inheritedLoad(22, [{ shard: 5, load: loadOf(1) }])), [6, 12, 13, ...nothing(12)]);
    assert.deepEqual(gasOf(inheritedLoad(5 * 16, [{ shard: 5, load: loadOf(1) }])), nothing(15));
  });

  it('is the sum after a merge, with the two as its halves', () => {
    const parts = [
      { shard: 10, load: loadOf(1) },
      { shard: 11, load: loadOf(100) },
    ];
    const joined = inheritedLoad(5, parts);
    assert.deepEqual(gasOf(joined), [101, 1, 100, 2, 3, 200, 300, 4, 5, 6, 7, 400, 500, 600, 700]);
    assert.deepEqual(joined.whole, { gas: 101, backlog: 202, stateLeaves: 303 });
    assert.deepEqual(gasOf(inheritedLoad(10, [{ shard: 5, load: joined }])).slice(0, 7), [1, 2, 3, 4, 5, 6, 7]);
  });

  it('stays a number that a double counts with, whatever headers say', () => {
    const most: Load = { ...NO_LOAD, whole: entryFor(1), descendants: NO_LOAD.descendants };
    const huge = { ...most, whole: { gas: Number.MAX_SAFE_INTEGER, backlog: Number.MAX_SAFE_INTEGER, stateLeaves: 1 } };
    const joined = inheritedLoad(1, [
      { shard: 2, load: huge },
      { shard: 3, load: huge },
    ]);
    assert.deepEqual(joined.whole, { gas: Number.MAX_SAFE_INTEGER, backlog: Number.MAX_SAFE_INTEGER, stateLeaves: 2 });
  });
});
