// The published vectors of ECVRF-EDWARDS25519-SHA512-ELL2 (RFC 9381, appendix B.4), longer inputs, and proofs that must be refused. They
// are read in place; without them the suite says so.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { vrfOutput, vrfProve, vrfPublicKeyOf, vrfVerify } from '../../src/core/crypto/vrf.ts';
import { bytesToHex, hex } from '../../src/core/primitives/bytes.ts';

interface ValidVector {
  readonly name: string;
  readonly secretKey: string;
  readonly publicKey: string;
  readonly alpha: string;
  readonly proof: string;
  readonly output: string;
}
type InvalidVector = Pick<ValidVector, 'name' | 'publicKey' | 'alpha' | 'proof'>;
interface Vectors {
  readonly valid: readonly ValidVector[];
  readonly derived: readonly ValidVector[];
  readonly invalid: readonly InvalidVector[];
}

const FILE = new URL('../../../shared/vectors/ecvrf-rfc9381-elligator2.json', import.meta.url);
const skip = existsSync(FILE) ? false : 'the published ECVRF vectors are not on this machine (../shared/vectors)';

function vectors(): Vectors {
  return JSON.parse(readFileSync(FILE, 'utf8'));
}

describe('the published ECVRF vectors', { skip }, () => {
  it('are proven byte for byte', () => {
    const { valid, derived } = vectors();
    for (const { name, secretKey, publicKey, alpha, proof } of [...valid, ...derived]) {
      assert.equal(bytesToHex(vrfPublicKeyOf(hex(secretKey))), publicKey, name);
      assert.equal(bytesToHex(vrfProve(hex(secretKey), hex(alpha))), proof, name);
    }
  });

  it('verify, with their output', () => {
    const { valid, derived } = vectors();
    for (const { name, publicKey, alpha, proof, output } of [...valid, ...derived]) {
      const verified = vrfVerify(hex(publicKey), hex(alpha), hex(proof));
      assert.equal(verified === undefined ? undefined : bytesToHex(verified), output, name);
      assert.equal(bytesToHex(vrfOutput(hex(proof))), output, name);
    }
  });

  it('are refused where they must be', () => {
    const { invalid } = vectors();
    assert.ok(invalid.length > 0);
    for (const { name, publicKey, alpha, proof } of invalid) {
      assert.equal(vrfVerify(hex(publicKey), hex(alpha), hex(proof)), undefined, name);
    }
  });
});
