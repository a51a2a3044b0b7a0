import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  checkLayout,
  depthOfShard,
  isLeftOf,
  isShardId,
  type LayoutRefusal,
  layoutPositions,
  leftToRight,
  SHARD_DEPTH_MAX,
} from '../../../src/core/protocol/layout.ts';

const DEEPEST = 2 ** SHARD_DEPTH_MAX;

/** A layout grown from the whole state by splits: each number names the shard, by its place, that is split next. Left to right. */
function grownLayout(splits: readonly number[]): number[] {
  const layout = [1];
  for (const split of splits) {
    const place = split % layout.length;
    const shard = layout[place] as number;
    if (shard < DEEPEST) layout.splice(place, 1, 2 * shard, 2 * shard + 1);
  }
  return layout;
}

const anyLayout = fc.array(fc.nat(), { maxLength: 60 }).map(grownLayout);
const reasonOf = (shards: readonly number[]): LayoutRefusal | undefined => {
  const verdict = checkLayout(shards);
  return verdict.ok ? undefined : verdict.reason;
};

/** Said by its definition: every one of the smallest possible shards is in exactly one. For trees of depth 3 only. */
function coversOnce(shards: readonly number[]): boolean {
  for (let leaf = 8; leaf < 16; leaf++) {
    const owners = shards.filter((shard) => [leaf, leaf >> 1, leaf >> 2, leaf >> 3].includes(shard));
    if (owners.length !== 1) return false;
  }
  return true;
}

describe('the order of shards', () => {
  it('is that of their subtrees from left to right', () => {
    assert.deepEqual(leftToRight([3, 5, 4]), [4, 5, 3]);
    assert.deepEqual(leftToRight([7, 13, 2, 12]), [2, 12, 13, 7]);
    assert.deepEqual(leftToRight([2 * DEEPEST - 1, DEEPEST]), [DEEPEST, 2 * DEEPEST - 1]);
    assert.deepEqual([1, 2, 3, 4, DEEPEST].map(depthOfShard), [0, 1, 1, 2, 16]);
  });

  it('is found again however they are mixed, and gives each its place', () => {
    fc.assert(
      fc.property(anyLayout, fc.nat(), (layout, turn) => {
        const place = turn % layout.length;
        const mixed = [...layout.slice(place), ...layout.slice(0, place)].reverse();
        assert.deepEqual(leftToRight(mixed), layout);
        const positions = layoutPositions(mixed);
        assert.ok(layout.every((shard, position) => positions.get(shard) === position));
        assert.equal(positions.size, layout.length);
      }),
    );
  });

  it('does not put a shard beside one that is within it', () => {
    assert.ok(isLeftOf(2, 3) && isLeftOf(4, 5) && isLeftOf(4, 3) && isLeftOf(9, 5));
    for (const [a, b] of [
      [1, 2],
      [2, 5],
      [3, 12],
      [6, 6],
    ] as const)
      assert.ok(!isLeftOf(a, b) && !isLeftOf(b, a));
  });
});

describe('a layout', () => {
  it('is accepted, left to right, when it grew by splits', () => {
    fc.assert(
      fc.property(anyLayout, (layout) => {
        assert.deepEqual(checkLayout(layout.toReversed()), { ok: true, value: layout });
      }),
    );
  });

  it('is refused without one of its shards, with one more, or with one in place of another', () => {
    fc.assert(
      fc.property(anyLayout, fc.nat(), fc.integer({ min: 1, max: 2 * DEEPEST - 1 }), (layout, which, other) => {
        const place = which % layout.length;
        assert.equal(reasonOf(layout.toSpliced(place, 1)), layout.length === 1 ? 'empty' : 'gap');
        assert.equal(reasonOf([...layout, other]), layout.includes(other) ? 'twice' : 'overlap');
        if (layout[place] !== other) assert.notEqual(reasonOf(layout.with(place, other)), undefined);
      }),
    );
  });

  it('is exactly what covers every place once: all sets of shards of three levels', () => {
    let layouts = 0;
    for (let set = 0; set < 2 ** 15; set++) {
      const shards = Array.from({ length: 15 }, (_unused, bit) => bit + 1).filter((shard) => (set >> (shard - 1)) & 1);
      const isLayout = checkLayout(shards).ok;
      assert.equal(isLayout, coversOnce(shards), String(shards));
      if (isLayout) layouts++;
    }
    assert.equal(layouts, 26); // 1 + (1 + (1 + 1)²)².
  });

  it('is refused with its reason', () => {
    const cases: readonly (readonly [readonly number[], LayoutRefusal])[] = [
      [[], 'empty'],
      [[0], 'not-a-shard'],
      [[-1], 'not-a-shard'],
      [[1.5], 'not-a-shard'],
      [[Number.NaN], 'not-a-shard'],
      [[2 * DEEPEST], 'not-a-shard'],
      [[2 ** 32 + 1], 'not-a-shard'],
      [[1, 1], 'twice'],
      [[2, 3, 3], 'twice'],
      [[1, 2], 'overlap'],
      [[2, 3, 7], 'overlap'],
      [[2], 'gap'],
      [[3], 'gap'],
      [[4, 3], 'gap'],
      [Array.from({ length: 1_025 }, (_unused, index) => 1_024 + index), 'too-many'],
    ];
    for (const [shards, reason] of cases) assert.equal(reasonOf(shards), reason, String(shards.slice(0, 4)));
    assert.equal(reasonOf(Array.from({ length: 1_024 }, (_unused, index) => 1_024 + index)), undefined);
    assert.ok(!isShardId(0) && isShardId(1) && isShardId(2 * DEEPEST - 1) && !isShardId(2 * DEEPEST));
  });
});
