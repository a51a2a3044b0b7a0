import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import fc from 'fast-check';
import { deriveValidatorKeys } from '../../../src/core/crypto/validator-keys.ts';
import { bytesToBigint, bytesToHex } from '../../../src/core/primitives/bytes.ts';

function hexOfKeys(seed: Uint8Array): Record<string, string> {
  const { blsSecretKey, vrfSeed, peerSeed } = deriveValidatorKeys(seed);
  return { bls: bytesToHex(blsSecretKey), vrf: bytesToHex(vrfSeed), peer: bytesToHex(peerSeed) };
}

describe("a validator's keys", () => {
  it('are pinned: a change here would lose every validator its stake', () => {
    assert.deepEqual(hexOfKeys(new Uint8Array(32)), {
      bls: '61c0ccff46f7e1a3fae7873ac917b82c13f49c9845efd9f744e2f318d801083a',
      vrf: '90b023d64e9b3531bcbb7c12dcd44e44d203da1ed0ebb51fc7e7c50af35df146',
      peer: '1df97fd6b3d42c21809884d55f8bcdec3380069488f8ffbd43ed47933b2b23ae',
    });
    assert.deepEqual(hexOfKeys(Uint8Array.from({ length: 32 }, (_unused, index) => index)), {
      bls: '3d6069714a19bda06de7d25d9d7edc06091623ba8863365a1be383009040744b',
      vrf: '86d12a781d20faee508e5ff028b7ca56ff50cc0072b50706bfed9cd125d1be73',
      peer: 'cd0c433f83fe36b2e0b8ac239705593981271b5d8fbec83f0cb9513db5e5e889',
    });
  });

  it('are a BLS scalar in range and two seeds, all different', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
        const { blsSecretKey, vrfSeed, peerSeed } = deriveValidatorKeys(seed);
        const scalar = bytesToBigint(blsSecretKey);
        assert.ok(scalar > 0n && scalar < bls12_381.fields.Fr.ORDER);
        assert.deepEqual([blsSecretKey.length, vrfSeed.length, peerSeed.length], [32, 32, 32]);
        assert.equal(new Set([seed, blsSecretKey, vrfSeed, peerSeed].map(bytesToHex)).size, 4);
      }),
    );
  });

  it('come of seeds of 32 bytes only', () => {
    for (const length of [0, 31, 33, 64]) assert.throws(() => deriveValidatorKeys(new Uint8Array(length)), /32 bytes/);
  });
});
