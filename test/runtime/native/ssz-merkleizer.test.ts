// Merkleization in place gives what the library's own gives, for every number of chunks and every depth, and leaves what it was given.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hasher as wasmHasher } from '@chainsafe/persistent-merkle-tree/hasher/as-sha256';
import { hasher as nativeHasher } from '@chainsafe/persistent-merkle-tree/hasher/hashtree';
import { merkleizingInPlace } from '../../../src/runtime/native/ssz-merkleizer.ts';
import { drawFrom } from '../../core/protocol/generate-value.ts';

const BLOCK_BYTES = 64;
const OFFSET = 5;
/** The last two are beyond the place. */
const BLOCK_COUNTS = [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 100, 255, 256, 257, 600];

function limitsFor(blocks: number): readonly number[] {
  return [Math.max(2, 2 * blocks), 2 * blocks + 1, 4_096, 2 ** 20, 2 ** 32, 2 ** 40].filter((limit) => limit >= 2 && limit >= 2 * blocks);
}

for (const hasher of [wasmHasher, nativeHasher])
  describe(`merkleizing in place over ${hasher.name}`, () => {
    const inPlace = merkleizingInPlace(hasher);
    const bytesOf = (length: number): Uint8Array => {
      const draw = drawFrom(length);
      return Uint8Array.from({ length }, () => draw(256));
    };
    const rootBy = (run: (output: Uint8Array) => void): Uint8Array => {
      const output = new Uint8Array(OFFSET + 32);
      run(output);
      return output;
    };

    for (const blocks of BLOCK_COUNTS)
      it(`gives the root of ${blocks} blocks`, () => {
        const bytes = bytesOf(blocks * BLOCK_BYTES);
        const array = (): Uint8Array[] =>
          Array.from({ length: blocks }, (_unused, at) => bytes.slice(at * BLOCK_BYTES, (at + 1) * BLOCK_BYTES));
        for (const limit of limitsFor(blocks)) {
          const expected = rootBy((output) => hasher.merkleizeBlocksBytes(bytes.slice(), limit, output, OFFSET));
          assert.deepEqual(
            rootBy((output) => inPlace.merkleizeBlocksBytes(bytes.slice(), limit, output, OFFSET)),
            expected,
            `bytes, limit ${limit}`,
          );
          assert.deepEqual(
            rootBy((output) => inPlace.merkleizeBlockArray(array(), blocks, limit, output, OFFSET)),
            expected,
            `blocks, limit ${limit}`,
          );
        }
      });

    it('gives a single chunk as it is', () => {
      const chunk = bytesOf(32);
      assert.deepEqual(rootBy((output) => inPlace.merkleizeBlocksBytes(chunk, 1, output, OFFSET)).subarray(OFFSET), chunk);
    });

    it('refuses what the library refuses', () => {
      const output = new Uint8Array(32);
      assert.throws(() => inPlace.merkleizeBlocksBytes(new Uint8Array(31), 2, output, 0));
      assert.throws(() => inPlace.merkleizeBlocksBytes(new Uint8Array(32), 2, output, 0));
      assert.throws(() => inPlace.merkleizeBlocksBytes(new Uint8Array(64), 0, output, 0));
      assert.throws(() => inPlace.merkleizeBlockArray([new Uint8Array(63)], 1, 2, output, 0));
      assert.throws(() => inPlace.merkleizeBlockArray([new Uint8Array(64)], 2, 4, output, 0));
    });
  });
