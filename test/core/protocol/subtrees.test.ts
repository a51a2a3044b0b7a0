// How subtrees lie to each other, against the places that they hold.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { coverShard, isWithin, relativeShardId, shardsIntersect } from '../../../src/core/protocol/subtrees.ts';

const DEPTH = 4;
const SHARDS = Array.from({ length: 2 ** DEPTH - 1 }, (_unused, index) => index + 1);

/** The places of the deepest level that lie under a shard. */
function placesOf(shard: number): ReadonlySet<number> {
  const places = new Set<number>();
  for (let leaf = 2 ** DEPTH; leaf < 2 ** (DEPTH + 1); leaf++)
    for (let node = leaf; node >= 1; node >>>= 1) if (node === shard) places.add(leaf);
  return places;
}

const isSubset = (inner: ReadonlySet<number>, outer: ReadonlySet<number>): boolean => [...inner].every((place) => outer.has(place));

describe('of two shards', () => {
  it('one is within the other, or they share nothing, as their places say', () => {
    for (const a of SHARDS) {
      for (const b of SHARDS) {
        const [inA, inB] = [placesOf(a), placesOf(b)];
        assert.equal(isWithin(a, b), isSubset(inA, inB));
        assert.equal(
          shardsIntersect(a, b),
          [...inA].some((place) => inB.has(place)),
        );
      }
    }
  });

  it('the inner has a number in the outer’s own tree', () => {
    for (const a of SHARDS) assert.deepEqual([relativeShardId(a, a), relativeShardId(a, 1)], [1, a]);
    assert.deepEqual([relativeShardId(10, 5), relativeShardId(11, 5), relativeShardId(23, 5)], [2, 3, 7]);
  });
});

describe('prefixes', () => {
  it('cover a shard exactly when each of its places is in one', () => {
    for (let set = 0; set < 2 ** 12; set += 7) {
      const prefixes = SHARDS.filter((_shard, index) => index < 12 && (set >>> index) % 2 === 1);
      const places = new Set(prefixes.flatMap((prefix) => [...placesOf(prefix)]));
      for (const shard of SHARDS) assert.equal(coverShard(prefixes, shard), isSubset(placesOf(shard), places), `${prefixes} over ${shard}`);
    }
  });
});
