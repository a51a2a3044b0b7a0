// secp256k1 on @noble/curves: the portable form, about 1 ms a recovery. It is also what a platform without a native build uses.
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { concatBytes } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import { isSignatureInRange, SECP256K1_SCALAR_BYTES, type Secp256k1 } from './secp256k1.ts';

/** The portable implementation. */
export const nobleSecp256k1: Secp256k1 = {
  name: '@noble/curves',

  recoverPublicKey(messageHash, r, s, yParity) {
    if (!isSignatureInRange(messageHash, r, s, yParity)) return undefined;
    try {
      const signature = secp256k1.Signature.fromBytes(concatBytes(r, s), 'compact').addRecoveryBit(yParity);
      return signature.recoverPublicKey(messageHash).toBytes(false).slice(1);
    } catch {
      return undefined; // r is the x coordinate of no point: there is no such signer.
    }
  },

  sign(secretKey, messageHash) {
    invariant(messageHash.length === SECP256K1_SCALAR_BYTES, 'what is signed is a hash of 32 bytes');
    const bytes = secp256k1.sign(messageHash, secretKey, { prehash: false, lowS: true, format: 'recovered' });
    const yParity = bytes[0];
    invariant(yParity === 0 || yParity === 1, 'the recovery id is a parity: r above the order occurs once in 2^127');
    return { r: bytes.slice(1, 33), s: bytes.slice(33, 65), yParity };
  },

  publicKeyOf: (secretKey) => secp256k1.getPublicKey(secretKey, false).slice(1),
};
