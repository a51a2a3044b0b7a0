// BLS on @noble/curves: the portable form, 20 to 40 ms a verification, the same code in a browser.
//
// What costs most and comes again is remembered in two small bounded memories: points of messages (11 ms each; a committee signs the
// same one) and decoded public keys (1.4 ms). They hold values of pure functions, so they change speed only.
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { bytesToBigint, bytesToHex } from '../primitives/bytes.ts';
import { forgetOldest } from '../primitives/forget-oldest.ts';
import {
  BLS_CIPHERSUITE,
  BLS_PUBLIC_KEY_BYTES,
  BLS_SIGNATURE_BYTES,
  type BlsAggregateSet,
  type BlsScheme,
  type BlsSignatureSet,
  decodeAll,
  publicKeysOf,
} from './bls.ts';
import { sha256 } from './sha256.ts';

const { longSignatures, pairingBatch, fields } = bls12_381;
const G1 = bls12_381.G1.Point;
const G2 = bls12_381.G2.Point;

type PublicKeyPoint = typeof G1.BASE;
type SignaturePoint = typeof G2.BASE;
type Pair = { readonly g1: PublicKeyPoint; readonly g2: SignaturePoint };

const CIPHERSUITE_TAG = new TextEncoder().encode(BLS_CIPHERSUITE);
const BATCH_COEFFICIENT_BYTES = 16;
const MESSAGE_POINTS_MAX = 64;
const PUBLIC_KEY_POINTS_MAX = 1_024;

const messagePoints = new Map<string, SignaturePoint>();
const publicKeyPoints = new Map<string, PublicKeyPoint>();

/** The portable implementation. */
export const nobleBls: BlsScheme = {
  name: '@noble/curves',

  publicKeyOf: (secretKey) => longSignatures.getPublicKey(secretKey).toBytes(),

  sign: (secretKey, message) => longSignatures.sign(messagePoint(message), secretKey).toBytes(),

  verify: (publicKey, message, signature) => nobleBls.fastAggregateVerify([publicKey], message, signature),

  aggregate(signatures) {
    const points = decodeAll(signatures, signaturePoint);
    if (points === undefined || points.length === 0) return undefined;
    const sum = points.reduce((total, point) => total.add(point));
    return sum.is0() ? undefined : sum.toBytes();
  },

  fastAggregateVerify(publicKeys, message, signature) {
    const key = keySum(publicKeys);
    const sum = signaturePoint(signature);
    return key !== undefined && sum !== undefined && pairingsCancel([{ g1: key, g2: messagePoint(message) }], sum);
  },

  aggregateVerify(publicKeys, messages, signature) {
    const keys = decodeAll(publicKeys, publicKeyPoint);
    const sum = signaturePoint(signature);
    if (keys === undefined || keys.length === 0 || keys.length !== messages.length || sum === undefined) return false;
    return pairingsCancel(pairsByMessage(keys.map((key, index) => ({ key, message: messages[index] as Uint8Array }))), sum);
  },

  verifyBatch(sets) {
    const [only] = sets;
    if (only === undefined) return true;
    if (sets.length === 1) return nobleBls.fastAggregateVerify(publicKeysOf(only), only.message, only.signature);
    return verifyCombined(sets);
  },

  isValidPublicKey: (publicKey) => publicKeyPoint(publicKey) !== undefined,
  isValidSignature: (signature) => signaturePoint(signature) !== undefined,
};

// One check for the whole batch: with a coefficient c of each set, Σ c·signature must equal what Σ c·key signs, message by message.
// The coefficients are a hash of the entire batch, so nobody can choose a set knowing them: no randomness is needed here.
function verifyCombined(sets: readonly (BlsSignatureSet | BlsAggregateSet)[]): boolean {
  const seed = sha256(CIPHERSUITE_TAG, ...sets.map(setHash));
  const weighted: { key: PublicKeyPoint; message: Uint8Array }[] = [];
  let signatureSum = G2.ZERO;
  for (const [index, set] of sets.entries()) {
    const key = keySum(publicKeysOf(set));
    const signature = signaturePoint(set.signature);
    if (key === undefined || signature === undefined) return false;
    const coefficient = batchCoefficient(seed, index);
    weighted.push({ key: key.multiplyUnsafe(coefficient), message: set.message });
    signatureSum = signatureSum.add(signature.multiplyUnsafe(coefficient));
  }
  return pairingsCancel(pairsByMessage(weighted), signatureSum);
}

function setHash(set: BlsSignatureSet | BlsAggregateSet): Uint8Array {
  return sha256(sha256(...publicKeysOf(set)), sha256(set.message), set.signature);
}

function batchCoefficient(seed: Uint8Array, index: number): bigint {
  const hash = sha256(seed, Uint8Array.of(index >>> 24, index >>> 16, index >>> 8, index));
  return bytesToBigint(hash.subarray(0, BATCH_COEFFICIENT_BYTES)) | 1n; // Odd, hence never zero.
}

// One pairing a message, with the sum of its keys; keys that cancel out contribute nothing and are left out.
function pairsByMessage(signers: readonly { readonly key: PublicKeyPoint; readonly message: Uint8Array }[]): readonly Pair[] {
  const byMessage = new Map<string, Pair>();
  for (const { key, message } of signers) {
    const messageHex = bytesToHex(message);
    const known = byMessage.get(messageHex);
    byMessage.set(messageHex, known === undefined ? { g1: key, g2: messagePoint(message) } : { ...known, g1: known.g1.add(key) });
  }
  return [...byMessage.values()].filter(({ g1 }) => !g1.is0());
}

// True if Π e(g1, g2) = e(generator, signature), and there is anything to compare.
function pairingsCancel(pairs: readonly Pair[], signature: SignaturePoint): boolean {
  if (pairs.length === 0 || signature.is0()) return false;
  const product = pairingBatch([...pairs, { g1: G1.BASE.negate(), g2: signature }]);
  return fields.Fp12.eql(product, fields.Fp12.ONE);
}

// The sum of the keys; `undefined` for none, an invalid one, or if they cancel out to infinity.
function keySum(publicKeys: readonly Uint8Array[]): PublicKeyPoint | undefined {
  const keys = decodeAll(publicKeys, publicKeyPoint);
  if (keys === undefined || keys.length === 0) return undefined;
  const sum = keys.reduce((total, point) => total.add(point));
  return sum.is0() ? undefined : sum;
}

function messagePoint(message: Uint8Array): SignaturePoint {
  return remembered(messagePoints, MESSAGE_POINTS_MAX, bytesToHex(message), () => longSignatures.hash(message, CIPHERSUITE_TAG));
}

function publicKeyPoint(bytes: Uint8Array): PublicKeyPoint | undefined {
  if (bytes.length !== BLS_PUBLIC_KEY_BYTES) return undefined;
  return validPoint(() => remembered(publicKeyPoints, PUBLIC_KEY_POINTS_MAX, bytesToHex(bytes), () => G1.fromBytes(bytes)));
}

function signaturePoint(bytes: Uint8Array): SignaturePoint | undefined {
  if (bytes.length !== BLS_SIGNATURE_BYTES) return undefined;
  return validPoint(() => longSignatures.Signature.fromBytes(bytes));
}

function validPoint<P extends PublicKeyPoint | SignaturePoint>(decode: () => P): P | undefined {
  try {
    const point = decode();
    point.assertValidity(); // On the curve and in the right subgroup.
    return point.is0() ? undefined : point;
  } catch {
    return undefined;
  }
}

// What throws is not remembered; when the memory is full the oldest entry makes room.
function remembered<P>(memory: Map<string, P>, entriesMax: number, key: string, compute: () => P): P {
  const known = memory.get(key);
  if (known !== undefined) return known;
  const value = compute();
  memory.set(key, value);
  forgetOldest(memory, entriesMax);
  return value;
}
