import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { keccak256Portable } from '../../../src/core/crypto/keccak.ts';
import type { Secp256k1 } from '../../../src/core/crypto/secp256k1.ts';
import { nobleSecp256k1 } from '../../../src/core/crypto/secp256k1-noble.ts';
import { bigintToBytes, bytesToBigint, bytesToHex, hex } from '../../../src/core/primitives/bytes.ts';
import { nativeSecp256k1 } from '../../../src/runtime/native/secp256k1-native.ts';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const SECRET_KEY = hex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
const MESSAGE_HASH = new Uint8Array(32).fill(9);
const anyHash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const anyScalar = fc.bigInt({ min: 1n, max: ORDER - 1n }).map((scalar) => bigintToBytes(scalar, 32));

const native = nativeSecp256k1();
const implementations = native === undefined ? [nobleSecp256k1] : [nobleSecp256k1, native];

for (const implementation of implementations) {
  describe(`secp256k1 by ${implementation.name}`, () => {
    it('knows the address of a well-known key', () => {
      const address = keccak256Portable(implementation.publicKeyOf(SECRET_KEY)).slice(-20);
      assert.equal(bytesToHex(address), 'f39fd6e51aad88f6f4ce6ab8827279cfffb92266');
    });

    it('recovers the signer', () => {
      fc.assert(
        fc.property(anyScalar, anyHash, (secretKey, messageHash) => {
          const { r, s, yParity } = implementation.sign(secretKey, messageHash);
          assert.deepEqual(implementation.recoverPublicKey(messageHash, r, s, yParity), implementation.publicKeyOf(secretKey));
        }),
        { numRuns: 10 },
      );
    });

    it('refuses the high s that would also verify (EIP-2)', () => {
      const { r, s, yParity } = implementation.sign(SECRET_KEY, MESSAGE_HASH);
      const highS = bigintToBytes(ORDER - bytesToBigint(s), 32);
      assert.equal(implementation.recoverPublicKey(MESSAGE_HASH, r, highS, yParity === 0 ? 1 : 0), undefined);
      assert.equal(implementation.recoverPublicKey(MESSAGE_HASH, r, highS, yParity), undefined);
    });

    it('takes s up to exactly half of the order', () => {
      const { r } = implementation.sign(SECRET_KEY, MESSAGE_HASH);
      const half = ORDER / 2n;
      assert.notEqual(implementation.recoverPublicKey(MESSAGE_HASH, r, bigintToBytes(half, 32), 0), undefined);
      assert.equal(implementation.recoverPublicKey(MESSAGE_HASH, r, bigintToBytes(half + 1n, 32), 0), undefined);
    });

    it('refuses scalars out of range, wrong lengths and parities', () => refusesMalformed(implementation));

    it('finds no signer where r is the x coordinate of no point', () => {
      const five = bigintToBytes(5n, 32); // 5³ + 7 is no square.
      assert.equal(implementation.recoverPublicKey(MESSAGE_HASH, five, bigintToBytes(1n, 32), 0), undefined);
    });

    it('throws on a secret key out of range', () => {
      for (const secretKey of [new Uint8Array(32), bigintToBytes(ORDER, 32), new Uint8Array(31)]) {
        assert.throws(() => implementation.sign(secretKey, MESSAGE_HASH));
        assert.throws(() => implementation.publicKeyOf(secretKey));
      }
    });
  });
}

describe('the two implementations of secp256k1', { skip: native === undefined ? 'no native build on this platform' : false }, () => {
  it('sign alike and recover alike, from any bytes', () => {
    const other = native as Secp256k1;
    fc.assert(
      fc.property(anyScalar, anyHash, (secretKey, messageHash) => {
        assert.deepEqual(other.sign(secretKey, messageHash), nobleSecp256k1.sign(secretKey, messageHash));
      }),
      { numRuns: 20 },
    );
    fc.assert(
      fc.property(anyHash, anyHash, anyHash, fc.constantFrom<0 | 1>(0, 1), (messageHash, r, s, yParity) => {
        const recovered = nobleSecp256k1.recoverPublicKey(messageHash, r, s, yParity);
        assert.deepEqual(other.recoverPublicKey(messageHash, r, s, yParity), recovered);
      }),
      { numRuns: 50 },
    );
  });
});

function refusesMalformed(implementation: Secp256k1): void {
  const { r, s } = implementation.sign(SECRET_KEY, MESSAGE_HASH);
  const zero = new Uint8Array(32);
  const order = bigintToBytes(ORDER, 32);
  const long = new Uint8Array(33).fill(1);
  for (const yParity of [0, 1] as const) {
    assert.equal(implementation.recoverPublicKey(MESSAGE_HASH, zero, s, yParity), undefined);
    assert.equal(implementation.recoverPublicKey(MESSAGE_HASH, order, s, yParity), undefined);
    assert.equal(implementation.recoverPublicKey(MESSAGE_HASH, r, zero, yParity), undefined);
    assert.equal(implementation.recoverPublicKey(MESSAGE_HASH, long, s, yParity), undefined);
    assert.equal(implementation.recoverPublicKey(MESSAGE_HASH, r, new Uint8Array(0), yParity), undefined);
    assert.equal(implementation.recoverPublicKey(long, r, s, yParity), undefined);
  }
  for (const yParity of [2, 27, 28, -1, 0.5]) {
    assert.equal(implementation.recoverPublicKey(MESSAGE_HASH, r, s, yParity as 0 | 1), undefined);
  }
}
