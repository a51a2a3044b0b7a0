// Account signatures: ECDSA on secp256k1 with public key recovery, as Ethereum's transactions carry them.
//
// The rule both implementations uphold: r and s lie in 1..n−1 and s is at most n/2 (EIP-2, so that nobody can alter a
// transaction's hash), else there is no signer. Foreign bytes never throw.
import { compareBytes, hex } from '../primitives/bytes.ts';

/** Bytes of a secret key, of r, of s and of the message hash. */
export const SECP256K1_SCALAR_BYTES = 32;

const ORDER = hex('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141');
const HALF_ORDER = hex('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0');
const ZERO = new Uint8Array(SECP256K1_SCALAR_BYTES);

/** A signature from which the signer's key can be recovered. */
export interface RecoverableSignature {
  readonly r: Uint8Array;
  readonly s: Uint8Array;
  readonly yParity: 0 | 1;
}

/** What accounts ask of secp256k1. Methods that take a secret key throw on an invalid one: it is our own. */
export interface Secp256k1 {
  /** The implementation, for logs and metrics. */
  readonly name: string;
  /** The signer's public key, 64 bytes without the leading 04; `undefined` if the signature has none. */
  recoverPublicKey(messageHash: Uint8Array, r: Uint8Array, s: Uint8Array, yParity: 0 | 1): Uint8Array | undefined;
  /** Deterministic (RFC 6979), with low s. */
  sign(secretKey: Uint8Array, messageHash: Uint8Array): RecoverableSignature;
  /** 64 bytes without the leading 04. */
  publicKeyOf(secretKey: Uint8Array): Uint8Array;
}

/** The range rule, in one place for both implementations: lengths, 0 < r < n, 0 < s ≤ n/2, parity 0 or 1. */
export function isSignatureInRange(messageHash: Uint8Array, r: Uint8Array, s: Uint8Array, yParity: number): boolean {
  if (messageHash.length !== SECP256K1_SCALAR_BYTES || r.length !== SECP256K1_SCALAR_BYTES || s.length !== SECP256K1_SCALAR_BYTES)
    return false;
  if (yParity !== 0 && yParity !== 1) return false;
  if (compareBytes(r, ZERO) === 0 || compareBytes(r, ORDER) >= 0) return false;
  return compareBytes(s, ZERO) !== 0 && compareBytes(s, HALF_ORDER) <= 0;
}
