import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ED25519_TORSION_SUBGROUP, ed25519, ed25519_hasher } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { VRF_PROOF_BYTES, vrfOutput, vrfProve, vrfPublicKeyOf, vrfVerify } from '../../../src/core/crypto/vrf.ts';
import { bigintToBytes, bytesToBigint, bytesToHex, concatBytes, hex } from '../../../src/core/primitives/bytes.ts';

const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const SEED = new Uint8Array(32).fill(5);
const KEY = vrfPublicKeyOf(SEED);
const ALPHA = new Uint8Array([1, 2, 3]);
const PROOF = vrfProve(SEED, ALPHA);
const anySeed = fc.uint8Array({ minLength: 32, maxLength: 32 });
const anyAlpha = fc.uint8Array({ maxLength: 100 });

describe('the VRF', () => {
  it('verifies what was proven, and gives prover and verifier one output', () => {
    fc.assert(
      fc.property(anySeed, anyAlpha, (seed, alpha) => {
        const proof = vrfProve(seed, alpha);
        assert.equal(proof.length, VRF_PROOF_BYTES);
        assert.deepEqual(vrfVerify(vrfPublicKeyOf(seed), alpha, proof), vrfOutput(proof));
      }),
      { numRuns: 10 },
    );
  });

  it('judges alike however often a key comes, and however many others come between', () => {
    const other = vrfPublicKeyOf(new Uint8Array(32).fill(6));
    for (let round = 0; round < 8; round++) {
      const alpha = Uint8Array.of(round);
      const proof = vrfProve(SEED, alpha);
      assert.deepEqual(vrfVerify(KEY, alpha, proof), vrfOutput(proof));
      assert.equal(vrfVerify(other, alpha, proof), undefined);
    }
    for (let index = 0; index < 70; index++)
      assert.equal(vrfVerify(vrfPublicKeyOf(new Uint8Array(32).fill(100 + index)), ALPHA, PROOF), undefined);
    assert.deepEqual(vrfVerify(KEY, ALPHA, PROOF), vrfOutput(PROOF));
  });

  it('is deterministic, and pinned', () => {
    assert.deepEqual(vrfProve(SEED, ALPHA), PROOF);
    assert.equal(
      bytesToHex(vrfOutput(PROOF)),
      '82b7fe59b89a871e2b52d71e711fd025b5cfc8b0f7765c73857d383803ec15fc6026c9429c5a04bba920ffbf81cf5b1940db71ef0c856c6f4f61f6cbb2cf56f0',
    );
  });

  it('refuses a proof for another input or another key', () => {
    assert.equal(vrfVerify(KEY, new Uint8Array([1, 2, 4]), PROOF), undefined);
    assert.equal(vrfVerify(vrfPublicKeyOf(new Uint8Array(32).fill(6)), ALPHA, PROOF), undefined);
  });

  it('refuses a proof with any bit changed', () => {
    fc.assert(
      fc.property(fc.nat(8 * VRF_PROOF_BYTES - 1), (bit) => {
        const altered = PROOF.slice();
        altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7));
        assert.equal(vrfVerify(KEY, ALPHA, altered), undefined);
      }),
      { numRuns: 20 },
    );
  });

  it('refuses the second encoding of a scalar, s + q', () => {
    const s = bytesToBigint(PROOF.slice(48).toReversed());
    const altered = concatBytes(PROOF.slice(0, 48), bigintToBytes(s + GROUP_ORDER, 32).toReversed());
    assert.equal(vrfVerify(KEY, ALPHA, altered), undefined);
  });

  it('refuses keys of small order', () => {
    for (const key of ED25519_TORSION_SUBGROUP) assert.equal(vrfVerify(hex(key), ALPHA, PROOF), undefined, key);
  });

  it('refuses the neutral key even with a proof that fulfils every equation', () => {
    // With Y and Gamma neutral, U = sB and V = sH for any s: whoever could register this key could choose its output.
    const { BASE, ZERO, Fn } = ed25519.Point;
    const neutral = ZERO.toBytes();
    const tag = concatBytes(new TextEncoder().encode('ECVRF_edwards25519_XMD:SHA-512_ELL2_NU_'), Uint8Array.of(4));
    const input = ed25519_hasher.encodeToCurve(concatBytes(neutral, ALPHA), { DST: tag });
    const points = [neutral, input.toBytes(), neutral, BASE.multiply(7n).toBytes(), input.multiply(7n).toBytes()];
    const challenge = sha512(concatBytes(Uint8Array.of(4, 2), ...points, Uint8Array.of(0))).slice(0, 16);
    assert.equal(vrfVerify(neutral, ALPHA, concatBytes(neutral, challenge, Fn.toBytes(7n))), undefined);
  });

  it('answers any bytes without a throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), anyAlpha, fc.uint8Array({ maxLength: 100 }), (key, alpha, proof) => {
        assert.equal(vrfVerify(key, alpha, proof), undefined);
      }),
    );
    assert.equal(vrfVerify(KEY, ALPHA, new Uint8Array(VRF_PROOF_BYTES)), undefined);
    assert.equal(vrfVerify(KEY, ALPHA, new Uint8Array(VRF_PROOF_BYTES).fill(255)), undefined);
  });
});
