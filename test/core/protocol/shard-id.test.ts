// The arithmetic of subtrees, against a model that spells each out as a string of bits.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  childrenOf,
  comparePlaces,
  contains,
  depthOf,
  intersects,
  isShardId,
  isUnder,
  parentOf,
  SHARD_DEPTH_MAX,
  shardOfPlacement,
  siblingOf,
  uncoveredBy,
} from '../../../src/core/protocol/shard-id.ts';

const pathOf = (shard: number): string => shard.toString(2).slice(1);
const bitsOf = (placement: number): string => placement.toString(2).padStart(16, '0');
// Shallow ones are drawn as often as deep ones, or two would hardly ever meet.
const shards = fc.integer({ min: 0, max: SHARD_DEPTH_MAX }).chain((depth) => fc.integer({ min: 2 ** depth, max: 2 ** (depth + 1) - 1 }));
const placements = fc.integer({ min: 0, max: 0xffff });

/** A complete cover of the tree, by splitting a random one so many times. */
const layouts = fc.array(fc.nat(), { maxLength: 12 }).map((choices) => {
  const layout = [1];
  for (const choice of choices) {
    const at = choice % layout.length;
    const shard = layout[at] as number;
    if (depthOf(shard) < SHARD_DEPTH_MAX) layout.splice(at, 1, ...childrenOf(shard));
  }
  return layout;
});

describe('a shard id', () => {
  it('is a node of the tree down to depth 16', () => {
    assert.deepEqual([0, 1, 2 ** 17 - 1, 2 ** 17, 1.5, -1].map(isShardId), [false, true, true, false, false, false]);
  });

  it('knows its parent, its sibling, its children and its depth', () => {
    fc.assert(
      fc.property(shards, (shard) => {
        assert.equal(depthOf(shard), pathOf(shard).length);
        assert.deepEqual(childrenOf(shard).map(pathOf), [`${pathOf(shard)}0`, `${pathOf(shard)}1`]);
        assert.deepEqual(childrenOf(shard).map(parentOf), [shard, shard]);
        assert.deepEqual(childrenOf(shard).map(siblingOf), [...childrenOf(shard)].reverse());
      }),
    );
  });

  it('contains what its path begins', () => {
    fc.assert(
      fc.property(shards, shards, placements, (a, b, placement) => {
        assert.equal(contains(a, b), pathOf(b).startsWith(pathOf(a)));
        assert.equal(intersects(a, b), contains(a, b) || contains(b, a));
        assert.equal(isUnder(placement, a), bitsOf(placement).startsWith(pathOf(a)));
      }),
    );
  });

  it('stands left of what comes later in the tree, and before what it contains', () => {
    fc.assert(
      fc.property(shards, shards, (a, b) => {
        const expected = pathOf(a) < pathOf(b) ? -1 : pathOf(a) > pathOf(b) ? 1 : 0;
        assert.equal(Math.sign(comparePlaces(a, b)), expected);
      }),
    );
  });

  it('of the beacon is no place: it contains nothing, nothing contains it, and it comes first', () => {
    fc.assert(
      fc.property(shards, placements, (shard, placement) => {
        assert.ok(!contains(0, shard) && !contains(shard, 0) && !intersects(0, shard) && !contains(0, 0));
        assert.ok(!isUnder(placement, 0) && comparePlaces(0, shard) < 0);
      }),
    );
  });
});

describe('a layout', () => {
  it('has one shard for every placement', () => {
    fc.assert(
      fc.property(layouts, placements, (layout, placement) => {
        assert.deepEqual(
          [shardOfPlacement(new Set(layout), placement)],
          layout.filter((shard) => isUnder(placement, shard)),
        );
      }),
    );
    assert.equal(shardOfPlacement(new Set([2]), 0xffff), undefined, 'a cover with a hole');
  });
});

describe('what is uncovered', () => {
  it('is, with the parts, the whole: nothing twice, and no two of it siblings', () => {
    fc.assert(
      fc.property(layouts, fc.array(fc.boolean()), placements, (layout, kept, placement) => {
        const parts = layout.filter((_shard, at) => kept[at] ?? false);
        const missing = uncoveredBy(1, parts);
        assert.equal([...parts, ...missing].filter((shard) => isUnder(placement, shard)).length, 1);
        assert.ok(missing.every((shard) => shard === 1 || !missing.includes(siblingOf(shard))));
        assert.deepEqual(missing, [...missing].sort(comparePlaces));
      }),
    );
  });

  it('is nothing where a part is wider than the whole', () => assert.deepEqual(uncoveredBy(5, [2]), []));
});
