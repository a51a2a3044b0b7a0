// The published BLS vectors, on the native and on the portable implementation. They are read in place; without them the suite says so.
//
// Three of them expect the point at infinity to be accepted. Here it never is, neither as a key nor as a signature, so those three
// are expected to be refused: see INFINITY_REFUSED.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import type { BlsScheme } from '../../src/core/crypto/bls.ts';
import { nobleBls } from '../../src/core/crypto/bls-noble.ts';
import { bytesToPrefixedHex, hex } from '../../src/core/primitives/bytes.ts';
import { blstBls } from '../../src/runtime/native/bls-blst.ts';

interface Vector<Input, Output> {
  readonly name: string;
  readonly input: Input;
  readonly output: Output;
}

const FOLDER = new URL('../../../shared/vectors/bls/', import.meta.url);
const skip = existsSync(FOLDER) ? false : 'the published BLS vectors are not on this machine (../shared/vectors/bls)';
const HASH_TO_CURVE_TAG = 'QUUX-V01-CS02-with-BLS12381G2_XMD:SHA-256_SSWU_RO_';

/** Accepted by the suite, refused here: the sum of nothing but infinity, and infinity as a key and as a signature. */
const INFINITY_REFUSED = ['aggregate_infinity_signature', 'deserialization_succeeds_infinity_with_true_b_flag'];

function vectors<Input, Output>(handler: string): readonly Vector<Input, Output>[] {
  return JSON.parse(readFileSync(new URL(`${handler}.json`, FOLDER), 'utf8'));
}

function all(encodings: readonly string[]): readonly Uint8Array[] {
  return encodings.map(hex);
}

function signatureOrNothing(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : bytesToPrefixedHex(bytes);
}

for (const scheme of [blstBls, nobleBls]) {
  describe(`the published BLS vectors on ${scheme.name}`, { skip }, () => {
    it('signs, and refuses the zero key', () => signs(scheme));
    it('verifies single signatures', () => {
      for (const { name, input, output } of vectors<{ pubkey: string; message: string; signature: string }, boolean>('verify')) {
        assert.equal(scheme.verify(hex(input.pubkey), hex(input.message), hex(input.signature)), output, name);
      }
    });
    it('aggregates signatures', () => {
      for (const { name, input, output } of vectors<string[], string | null>('aggregate')) {
        const expected = INFINITY_REFUSED.includes(name) ? null : output;
        assert.equal(signatureOrNothing(scheme.aggregate(all(input))), expected, name);
      }
    });
    it('verifies aggregates over one message and over many', () => verifiesAggregates(scheme));
    it('verifies batches', () => {
      type Input = { pubkeys: string[]; messages: string[]; signatures: string[] };
      for (const { name, input, output } of vectors<Input, boolean>('batch_verify')) {
        const sets = input.pubkeys.map((publicKey, index) => ({
          publicKey: hex(publicKey),
          message: hex(input.messages[index] as string),
          signature: hex(input.signatures[index] as string),
        }));
        assert.equal(scheme.verifyBatch(sets), output, name);
      }
    });
    it('decodes exactly the canonical encodings of points in the right subgroup', () => decodes(scheme));
  });
}

describe('hashing to the curve under the portable implementation', { skip }, () => {
  it('gives the published points', () => {
    for (const { name, input, output } of vectors<{ msg: string }, { x: string; y: string }>('hash_to_G2')) {
      const point = bls12_381.G2.hashToCurve(new TextEncoder().encode(input.msg), { DST: HASH_TO_CURVE_TAG }).toAffine();
      const words = [point.x.c0, point.x.c1, point.y.c0, point.y.c1];
      const expected = [...output.x.split(','), ...output.y.split(',')].map((word) => BigInt(word));
      assert.deepEqual(words, expected, name);
    }
  });
});

function signs(scheme: BlsScheme): void {
  for (const { name, input, output } of vectors<{ privkey: string; message: string }, string | null>('sign')) {
    const sign = (): Uint8Array => scheme.sign(hex(input.privkey), hex(input.message));
    if (output === null) assert.throws(sign, name);
    else assert.equal(bytesToPrefixedHex(sign()), output, name);
  }
}

function verifiesAggregates(scheme: BlsScheme): void {
  type Fast = { pubkeys: string[]; message: string; signature: string };
  for (const { name, input, output } of vectors<Fast, boolean>('fast_aggregate_verify')) {
    assert.equal(scheme.fastAggregateVerify(all(input.pubkeys), hex(input.message), hex(input.signature)), output, name);
  }
  type Many = { pubkeys: string[]; messages: string[]; signature: string };
  for (const { name, input, output } of vectors<Many, boolean>('aggregate_verify')) {
    assert.equal(scheme.aggregateVerify(all(input.pubkeys), all(input.messages), hex(input.signature)), output, name);
  }
}

function decodes(scheme: BlsScheme): void {
  for (const { name, input, output } of vectors<{ pubkey: string }, boolean>('deserialization_G1')) {
    assert.equal(scheme.isValidPublicKey(hex(input.pubkey)), output && !INFINITY_REFUSED.includes(name), `public key: ${name}`);
  }
  for (const { name, input, output } of vectors<{ signature: string }, boolean>('deserialization_G2')) {
    assert.equal(scheme.isValidSignature(hex(input.signature)), output && !INFINITY_REFUSED.includes(name), `signature: ${name}`);
  }
}
