import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anchorSeedOf, type ChainPoint, leaderOf, pointAfter, seedAfter, vrfAlphaOf } from '../../../src/core/consensus/leader.ts';
import { startPoint } from '../../../src/core/consensus/state.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { bytesEqual, bytesToBigint, bytesToHex, concatBytes, uint64ToBytes } from '../../../src/core/primitives/bytes.ts';
import { FOUR, instanceOf, keylessCommittee } from './values.ts';

/** A chain on the start record, as points and as seeds by height. */
function chainOf(length: number, leaderWindow: number): { readonly points: ChainPoint[]; readonly seeds: Uint8Array[] } {
  const points = [startPoint(FOUR)];
  for (let height = 1; height <= length; height++) {
    const block = { hash: sha256(uint64ToBytes(height)), height, round: height };
    points.push(pointAfter(points.at(-1) as ChainPoint, block, uint64ToBytes(height), leaderWindow));
  }
  return { points, seeds: points.map(({ seed }) => seed) };
}

describe('the seed of a block', () => {
  it('hashes its parent’s seed and its VRF output, and nothing else', () => {
    const [seed, output] = [sha256(Uint8Array.of(1)), new Uint8Array(64).fill(2)];
    assert.deepEqual(seedAfter(seed, output), sha256(concatBytes(seed, output)));
  });
});

describe('the anchor of the leader draw', () => {
  it('is the newest ancestor at a multiple of the window and at least two below the parent, else the start record', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 60 }), (leaderWindow, height) => {
        const { points, seeds } = chainOf(height, leaderWindow);
        let expected = 0; // By walking down, as the protocol words it.
        for (let below = height - 2; below > 0 && expected === 0; below--) if (below % leaderWindow === 0) expected = below;
        assert.deepEqual(anchorSeedOf(FOUR, points[height] as ChainPoint), seeds[expected]);
      }),
    );
  });

  it('keeps no more anchors than can still count', () => {
    for (const leaderWindow of [1, 2, 8]) {
      const { points } = chainOf(50, leaderWindow);
      assert.ok(points.every(({ anchors }) => anchors.length <= 3));
    }
  });

  it('is the same for two tips that differ by one block, but for one height in a window', () => {
    const { points } = chainOf(64, 8);
    const changes = points
      .slice(1)
      .filter((point, index) => !bytesEqual(anchorSeedOf(FOUR, point), anchorSeedOf(FOUR, points[index] as ChainPoint)));
    assert.equal(changes.length, 7); // Heights 10, 18, … 58.
  });
});

describe('the leader of a round', () => {
  it('is the owner of the drawn seat, in the order of validators', () => {
    const instance = instanceOf(keylessCommittee([3, 1, 2, 4]), 1, 0);
    const owners = [0, 0, 0, 2, 4, 4, 6, 6, 6, 6];
    for (let round = 1; round < 200; round++) {
      const draw = bytesToBigint(sha256(instance.startRecord.seed, instance.instanceId, uint64ToBytes(round)));
      assert.equal(leaderOf(instance, startPoint(instance), round), owners[Number(draw % 10n)]);
    }
  });

  it('is drawn by seats', () => {
    const instance = instanceOf(keylessCommittee([1, 9]), 1, 0);
    let heavy = 0;
    for (let round = 1; round <= 2_000; round++) if (leaderOf(instance, startPoint(instance), round) === 2) heavy++;
    assert.ok(heavy > 1_740 && heavy < 1_860, `${heavy} of 2,000`);
  });

  it('is another draw in another instance', () => {
    const other = instanceOf(keylessCommittee([1, 1, 1, 1]), 2, 0);
    const draws = (instance: typeof FOUR) =>
      Array.from({ length: 32 }, (_unused, round) => leaderOf(instance, startPoint(instance), round + 1));
    assert.notDeepEqual(draws(FOUR), draws(other));
  });
});

describe('the VRF input', () => {
  it('differs by instance, parent seed and round', () => {
    const other = instanceOf(keylessCommittee([1, 1, 1, 1]), 2, 0);
    const seeds = [sha256(Uint8Array.of(1)), sha256(Uint8Array.of(2))];
    const inputs = [FOUR, other].flatMap((instance) =>
      seeds.flatMap((seed) => [1, 2].map((round) => bytesToHex(vrfAlphaOf(instance, seed, round)))),
    );
    assert.equal(new Set(inputs).size, 8);
  });
});
