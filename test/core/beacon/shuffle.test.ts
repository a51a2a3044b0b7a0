// The shuffle of seats, against the definition in Ethereum's consensus-specs told place by place, which shares no code with the fast form.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { shuffledOrder } from '../../../src/core/beacon/shuffle.ts';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';

const seedOf = (text: string): Uint8Array => new Uint8Array(createHash('sha256').update(text).digest());

const PINNED_EIGHT: readonly number[] = [1, 2, 6, 5, 7, 0, 4, 3];
/** SHA-256 of the orders as little-endian uint32. */
const PINNED_HASHES: readonly (readonly [number, string])[] = [
  [1_000, 'bea680049c96138219839cc3e36a6374d7af6a09f66debc75b0681ed897d06fb'],
  [10_000, '4187ef8ecfe85b0f16885910a101e8013169475d80085bb710c8041154ee5f03'],
];

/** `compute_shuffled_index`: where one place goes through the rounds. */
function shuffledIndex(place: number, count: number, seed: Uint8Array): number {
  let index = place;
  for (let round = 0; round < 90; round++) {
    const pivot = Number(createHash('sha256').update(seed).update(Uint8Array.of(round)).digest().readBigUInt64LE() % BigInt(count));
    const flip = (pivot + count - index) % count;
    const position = Math.max(index, flip);
    const window = Buffer.alloc(4);
    window.writeUInt32LE(Math.floor(position / 256));
    const source = createHash('sha256').update(seed).update(Uint8Array.of(round)).update(window).digest();
    const byte = source[Math.floor((position % 256) / 8)] as number;
    if ((byte >> (position % 8)) % 2 === 1) index = flip;
  }
  return index;
}

describe('the shuffled order', () => {
  it('is that of the definition, place by place', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(), (count, seed, any) => {
        const order = shuffledOrder(count, seed);
        for (const place of [0, count - 1, any % count]) assert.equal(order[place], shuffledIndex(place, count, seed));
      }),
      { numRuns: 60 },
    );
    for (const count of [2, 3, 255, 256, 257, 513]) {
      const order = shuffledOrder(count, seedOf('all places'));
      for (let place = 0; place < count; place += count > 3 ? 37 : 1)
        assert.equal(order[place], shuffledIndex(place, count, seedOf('all places')));
    }
  });

  it('has every number once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000 }), fc.uint8Array({ minLength: 32, maxLength: 32 }), (count, seed) => {
        const sorted = shuffledOrder(count, seed).toSorted();
        assert.equal(sorted.length, count);
        assert.ok(sorted.every((number, place) => number === place));
      }),
      { numRuns: 50 },
    );
  });

  it('is another with another seed or length', () => {
    const first = [...shuffledOrder(100, seedOf('a'))];
    assert.deepEqual([...shuffledOrder(100, seedOf('a'))], first);
    assert.notDeepEqual([...shuffledOrder(100, seedOf('b'))], first);
    assert.notDeepEqual([...shuffledOrder(101, seedOf('a'))].slice(0, 100), first);
  });

  it('is pinned', () => {
    assert.deepEqual([...shuffledOrder(8, seedOf('coppice'))], PINNED_EIGHT);
    for (const [count, hash] of PINNED_HASHES) {
      const bytes = new Uint8Array(4 * count);
      for (const [place, number] of shuffledOrder(count, seedOf('coppice')).entries()) {
        new DataView(bytes.buffer).setUint32(4 * place, number, true);
      }
      assert.equal(bytesToHex(new Uint8Array(createHash('sha256').update(bytes).digest())), hash);
    }
  });

  it('takes a seed of 32 bytes only', () => {
    assert.throws(() => shuffledOrder(10, new Uint8Array(31)), /32 bytes/);
    assert.throws(() => shuffledOrder(-1, new Uint8Array(32)), /can be shuffled/);
  });
});
