// The verifiable random function that draws leaders: ECVRF-EDWARDS25519-SHA512-ELL2 of RFC 9381 (suite 0x04), section numbers below
// are its. A proof (80 bytes) is Gamma ‖ c ‖ s; its output cannot be chosen by the prover, and everyone can check it.
// Upheld: keys of small order are refused, points have one encoding and s one value, so that a proof cannot be altered.
// Costs 2 to 3 ms to prove and 1 to 1.8 to verify: verify only what a chosen block carries. Committees are the same for many blocks, so public keys
// are kept decoded, and those that come again with a table of multiples.
import { mulAddUnsafe, normalizeZ } from '@noble/curves/abstract/curve.js';
import { ed25519, ed25519_hasher } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { bytesEqual, bytesToBigint, bytesToHex, concatBytes } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import { forgetOldest } from '../primitives/forget-oldest.ts';

/** Bytes of the seed of a VRF key. */
export const VRF_SEED_BYTES = 32;
/** Bytes of a public key. */
export const VRF_PUBLIC_KEY_BYTES = 32;
/** Bytes of a proof: point, challenge, scalar. */
export const VRF_PROOF_BYTES = 80;

/** A verifiable random function, as consensus asks for it. */
export interface VrfScheme {
  /** The implementation, for logs. */
  readonly name: string;
  publicKeyOf(seed: Uint8Array): Uint8Array;
  prove(seed: Uint8Array, alpha: Uint8Array): Uint8Array;
  /** The output if `proof` is the key's proof for `alpha`, else `undefined`; never throws. */
  verify(publicKey: Uint8Array, alpha: Uint8Array, proof: Uint8Array): Uint8Array | undefined;
  /** The output of a proof that is known to be valid. */
  output(proof: Uint8Array): Uint8Array;
}

const { Point } = ed25519;
const ORDER = Point.Fn.ORDER;
type CurvePoint = typeof Point.BASE;

const SUITE = 0x04;
const CHALLENGE_BYTES = 16;
/** Public keys that are kept: 150 KB each with a table. */
const KEYS_KEPT_MAX = 64;
/** A table costs what it saves in seven verifications: a key that came so often while it was kept comes again, as those of small committees do. */
const TABLE_FROM_USES = 4;
const TABLE_DIGIT_BITS = 4;
const ENCODE_TAG = concatBytes(new TextEncoder().encode('ECVRF_edwards25519_XMD:SHA-512_ELL2_NU_'), Uint8Array.of(SUITE));

/**
 * Whether these are a public key of edwards25519, for the VRF as for Ed25519: a point in its one encoding (RFC 8032, section 5.1.3), not of
 * small order (RFC 9381, section 5.4.5).
 */
export function isEdwardsPublicKey(bytes: Uint8Array): boolean {
  const point = decodePoint(bytes, VRF_PUBLIC_KEY_BYTES);
  return point !== undefined && !point.isSmallOrder();
}

/** The public key of a seed, as for Ed25519. */
export function vrfPublicKeyOf(seed: Uint8Array): Uint8Array {
  return ed25519.getPublicKey(seed);
}

/** The proof for the input `alpha` (section 5.1). */
export function vrfProve(seed: Uint8Array, alpha: Uint8Array): Uint8Array {
  invariant(seed.length === VRF_SEED_BYTES, 'a VRF seed has 32 bytes');
  const { scalar, point: publicKey } = ed25519.utils.getExtendedPublicKey(seed);
  const encodedKey = publicKey.toBytes();
  const input = encodeToCurve(encodedKey, alpha);
  const nonce = nonceOf(seed, input.toBytes());
  const [inputBytes, gamma, u, v] = encodeAll(input, input.multiply(scalar), Point.BASE.multiply(nonce), input.multiply(nonce));
  const challenge = challengeOf(encodedKey, inputBytes, gamma, u, v);
  const s = (nonce + littleEndian(challenge) * scalar) % ORDER;
  return concatBytes(gamma, challenge, Point.Fn.toBytes(s));
}

/** The 64-byte output if `proof` is the key's proof for `alpha`, else `undefined`; never throws (section 5.3, with key validation). */
export function vrfVerify(publicKey: Uint8Array, alpha: Uint8Array, proof: Uint8Array): Uint8Array | undefined {
  const key = usableKey(publicKey);
  const parts = decodeProof(proof);
  if (key === undefined || parts === undefined) return undefined;
  const { gamma, challenge, s } = parts;
  const input = encodeToCurve(publicKey, alpha);
  const c = littleEndian(challenge);
  const u = Point.BASE.multiplyUnsafe(s).subtract(key.multiplyUnsafe(c));
  const v = mulAddUnsafe(Point, [input, gamma.negate()], [s, c]);
  const [inputBytes, uBytes, vBytes] = encodeAll(input, u, v);
  const expected = challengeOf(publicKey, inputBytes, proof.subarray(0, 32), uBytes, vBytes);
  return bytesEqual(challenge, expected) ? outputOf(gamma) : undefined;
}

/** The output that a proof of our own (or one already verified) stands for (section 5.2). */
export function vrfOutput(proof: Uint8Array): Uint8Array {
  const parts = decodeProof(proof);
  invariant(parts !== undefined, 'the output is asked of well-formed proofs only');
  return outputOf(parts.gamma);
}

/** The scheme of this file. */
export const ecvrf: VrfScheme = {
  name: '@noble/curves',
  publicKeyOf: vrfPublicKeyOf,
  prove: vrfProve,
  verify: vrfVerify,
  output: vrfOutput,
};

interface KeptKey {
  readonly point: CurvePoint;
  uses: number;
}

const keptKeys = new Map<string, KeptKey>();

function usableKey(bytes: Uint8Array): CurvePoint | undefined {
  const name = bytesToHex(bytes);
  const kept = keptKeys.get(name);
  if (kept !== undefined) {
    kept.uses++;
    if (kept.uses === TABLE_FROM_USES) kept.point.precompute(TABLE_DIGIT_BITS);
    return kept.point;
  }
  const point = decodePoint(bytes, VRF_PUBLIC_KEY_BYTES);
  if (point === undefined || point.isSmallOrder()) return undefined;
  keptKeys.set(name, { point, uses: 1 });
  forgetOldest(keptKeys, KEYS_KEPT_MAX);
  return point;
}

// Section 5.4.1.2, salted with the public key.
function encodeToCurve(publicKey: Uint8Array, alpha: Uint8Array): CurvePoint {
  return ed25519_hasher.encodeToCurve(concatBytes(publicKey, alpha), { DST: ENCODE_TAG });
}

// Section 5.4.2.2: the nonce is derived as Ed25519 derives its own, so no randomness can leak the key.
function nonceOf(seed: Uint8Array, encodedInput: Uint8Array): bigint {
  const secretHalf = sha512(seed).subarray(32);
  return littleEndian(sha512(concatBytes(secretHalf, encodedInput))) % ORDER;
}

// Section 5.4.3, of encoded points: a point that was decoded has the one encoding that it came in.
function challengeOf(...points: readonly Uint8Array[]): Uint8Array {
  return sha512(concatBytes(Uint8Array.of(SUITE, 0x02), ...points, Uint8Array.of(0x00))).slice(0, CHALLENGE_BYTES);
}

// All with one field inversion.
function encodeAll<Points extends readonly CurvePoint[]>(...points: Points): { readonly [Index in keyof Points]: Uint8Array } {
  const normalized: readonly CurvePoint[] = normalizeZ(Point, [...points] as CurvePoint[]);
  const encoded = normalized.map((point) => point.toBytes());
  return encoded as unknown as { readonly [Index in keyof Points]: Uint8Array };
}

function outputOf(gamma: CurvePoint): Uint8Array {
  return sha512(concatBytes(Uint8Array.of(SUITE, 0x03), gamma.clearCofactor().toBytes(), Uint8Array.of(0x00)));
}

function decodeProof(proof: Uint8Array): { readonly gamma: CurvePoint; readonly challenge: Uint8Array; readonly s: bigint } | undefined {
  if (proof.length !== VRF_PROOF_BYTES) return undefined;
  const gamma = decodePoint(proof.subarray(0, 32), 32);
  const s = littleEndian(proof.subarray(48));
  return gamma === undefined || s >= ORDER ? undefined : { gamma, challenge: proof.slice(32, 48), s };
}

// Strict RFC 8032 decoding: y below p, and no sign bit on x = 0.
function decodePoint(bytes: Uint8Array, length: number): CurvePoint | undefined {
  if (bytes.length !== length) return undefined;
  try {
    return Point.fromBytes(bytes, false);
  } catch {
    return undefined;
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytesToBigint(bytes.toReversed());
}
