import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { sha256 as referenceSha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import fc from 'fast-check';
import { initialiseKeccak, keccak256, keccak256Portable } from '../../../src/core/crypto/keccak.ts';
import {
  hash64,
  hashPairs,
  initialiseSha256,
  pairHasherName,
  sha256,
  sha256Portable,
  usePairHasher,
} from '../../../src/core/crypto/sha256.ts';
import { bytesToHex, concatBytes } from '../../../src/core/primitives/bytes.ts';

const anyParts = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 });
const anyHash = fc.uint8Array({ minLength: 32, maxLength: 32 });

/** As nobody has initialised it yet: other test files share this process. */
function loadedAnew<Module>(name: string): Promise<Module> {
  return import(new URL(`../../../src/core/crypto/${name}?anew`, import.meta.url).href);
}

describe('SHA-256', () => {
  it('answers in its portable form until the fast one is compiled, with the same bytes', async () => {
    const fresh = await loadedAnew<typeof import('../../../src/core/crypto/sha256.ts')>('sha256.ts');
    const early = fresh.sha256(new Uint8Array([1, 2, 3]), new Uint8Array([4]));
    await fresh.initialiseSha256();
    await fresh.initialiseSha256();
    assert.deepEqual(fresh.sha256(new Uint8Array([1, 2, 3]), new Uint8Array([4])), early);
  });

  it('agrees with the reference on parts of any length, in both forms', async () => {
    await initialiseSha256();
    fc.assert(
      fc.property(anyParts, (parts) => {
        const expected = referenceSha256(concatBytes(...parts));
        assert.deepEqual(sha256(...parts), expected);
        assert.deepEqual(sha256Portable(...parts), expected);
      }),
    );
  });

  it('agrees with the reference around block and buffer boundaries, in both forms', async () => {
    await initialiseSha256();
    for (const length of [0, 55, 56, 63, 64, 65, 119, 120, 128, 255, 256, 257, 511, 512, 513, 1024, 5000, 16_384, 40_000]) {
      const message = new Uint8Array(length).fill(length);
      assert.deepEqual(sha256(message), referenceSha256(message), `${length} bytes`);
      assert.deepEqual(sha256Portable(message), referenceSha256(message), `${length} bytes`);
      assert.deepEqual(sha256(message.subarray(0, 10), message.subarray(10)), referenceSha256(message), `${length} bytes in two parts`);
    }
  });

  it('hashes pairs, alone and by the level', () => {
    fc.assert(
      fc.property(fc.array(anyHash, { minLength: 2, maxLength: 24 }), (hashes) => {
        const level = concatBytes(...hashes.slice(0, hashes.length - (hashes.length % 2)));
        const parents = new Uint8Array(level.length / 2);
        hashPairs(level, parents);
        for (let offset = 0; offset < level.length; offset += 64) {
          const pair = level.subarray(offset, offset + 64);
          const parent = hash64(pair.subarray(0, 32), pair.subarray(32));
          assert.deepEqual(parent, referenceSha256(pair));
          assert.deepEqual(parents.slice(offset / 2, offset / 2 + 32), parent);
        }
      }),
    );
  });

  it('hashes a pair over one of its halves', () => {
    const [left, right] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const expected = hash64(left, right);
    assert.deepEqual(hash64(left.slice(), right, left.slice()), expected);
    assert.equal(hash64(left, right, right), right);
    assert.deepEqual(right, expected);
  });

  it('refuses pairs that are not 64 bytes', () => {
    assert.throws(() => hash64(new Uint8Array(31), new Uint8Array(33)), RangeError);
    assert.throws(() => hash64(new Uint8Array(32), new Uint8Array(0)), RangeError);
    assert.throws(() => hashPairs(new Uint8Array(96), new Uint8Array(48)), RangeError);
    assert.throws(() => hashPairs(new Uint8Array(128), new Uint8Array(32)), RangeError);
  });

  it('gives hashes that own their memory', () => {
    const hashes = [sha256(new Uint8Array(3)), sha256Portable(new Uint8Array(700)), hash64(new Uint8Array(32), new Uint8Array(32))];
    for (const hash of hashes) assert.equal(hash.buffer.byteLength, 32);
  });

  describe('with another implementation under the pairs', () => {
    after(() => usePairHasher());

    it('uses it, and names it', () => {
      const hashWithNode = (input: Uint8Array, output: Uint8Array): void => {
        for (let offset = 0; offset < input.length; offset += 64) {
          output.set(
            createHash('sha256')
              .update(input.subarray(offset, offset + 64))
              .digest(),
            offset / 2,
          );
        }
      };
      const before = hash64(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2));
      usePairHasher({ name: 'of node', hashPairs: hashWithNode });
      assert.equal(pairHasherName(), 'of node');
      assert.deepEqual(hash64(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)), before);
      usePairHasher();
      assert.equal(pairHasherName(), '@chainsafe/as-sha256');
    });
  });
});

describe('Keccak-256', () => {
  it('answers in its portable form until the fast one is compiled, with the same bytes', async () => {
    const fresh = await loadedAnew<typeof import('../../../src/core/crypto/keccak.ts')>('keccak.ts');
    assert.equal(fresh.implementationName(), 'noble');
    const early = fresh.keccak256(new Uint8Array([1, 2, 3]));
    await fresh.initialiseKeccak();
    await fresh.initialiseKeccak();
    assert.equal(fresh.implementationName(), 'hash-wasm');
    assert.deepEqual(fresh.keccak256(new Uint8Array([1, 2, 3])), early);
  });

  it('agrees with the reference on parts of any length, in both forms', async () => {
    await initialiseKeccak();
    fc.assert(
      fc.property(anyParts, (parts) => {
        const expected = keccak_256(concatBytes(...parts));
        assert.deepEqual(keccak256(...parts), expected);
        assert.deepEqual(keccak256Portable(...parts), expected);
      }),
    );
  });

  it('gives the hash of nothing that Ethereum knows as the hash of empty code', () => {
    assert.equal(bytesToHex(keccak256()), 'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470');
  });
});
