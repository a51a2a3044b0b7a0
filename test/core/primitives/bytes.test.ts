import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bytesToHex, hexToBytes } from '../../../src/core/primitives/bytes.ts';

const SEED = 20_261_121;

describe('hexadecimal of bytes', () => {
  it('has two lower-case digits for each byte, at every length around a piece', () => {
    const bytes = Uint8Array.from({ length: 200 }, (_unused, i) => (i * 37) & 0xff);
    for (let length = 0; length <= bytes.length; length++) {
      const some = bytes.subarray(0, length);
      assert.equal(bytesToHex(some), Buffer.from(some).toString('hex'));
    }
  });

  it('is read back as the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.deepEqual(hexToBytes(bytesToHex(bytes)), bytes);
      }),
      { seed: SEED },
    );
  });
});
