// BLS on @chainsafe/blst, the native library that validators run: 0.28 ms to sign, 0.8 ms to verify. Its binding has the
// proof-of-possession ciphersuite built in (the tests hold it against the portable form). Nothing native is loaded before the
// first use, so that importing this file works on a platform without a build.
import { createRequire } from 'node:module';
import type { PublicKey, Signature, SignatureSet } from '@chainsafe/blst';
import {
  BLS_PUBLIC_KEY_BYTES,
  BLS_SIGNATURE_BYTES,
  type BlsAggregateSet,
  type BlsScheme,
  type BlsSignatureSet,
  decodeAll,
  publicKeysOf,
} from '../../core/crypto/bls.ts';
import { forgetOldest } from '../../core/primitives/forget-oldest.ts';

type Blst = typeof import('@chainsafe/blst');
type DecodedSet = { readonly message: Uint8Array; readonly key: PublicKey; readonly signature: Uint8Array };

/** Public keys kept deserialised: a committee's come again with every vote, and decoding one costs a tenth of a verification. */
const PUBLIC_KEYS_MAX = 4_096;
/** Sums kept decoded: whoever adds up signatures has the sum verified next, on several chains at most. */
const SUMS_MAX = 8;
/** Marks the point at infinity in a compressed encoding. */
const INFINITY_FLAG = 0x40;

const publicKeyPoints = new Map<string, PublicKey>();
/** Sums of signatures, of the group. */
const sumPoints = new Map<string, Signature>();
let loaded: Blst | undefined;

/** The native implementation; every method throws where the library has no build (ask `blstLoads` first). */
export const blstBls: BlsScheme = {
  name: '@chainsafe/blst',

  publicKeyOf: (secretKey) => blst().SecretKey.fromBytes(secretKey).toPublicKey().toBytes(),

  sign: (secretKey, message) => blst().SecretKey.fromBytes(secretKey).sign(message).toBytes(),

  verify(publicKey, message, signature) {
    const key = publicKeyPoint(publicKey);
    const point = signaturePoint(signature);
    return key !== undefined && point !== undefined && blst().verify(message, key, point);
  },

  aggregate(signatures) {
    const points = decodeAll(signatures, curvePoint);
    if (points === undefined || points.length === 0) return undefined;
    const sum = blst().aggregateSignatures(points);
    if (!isOfGroup(sum)) return undefined;
    const bytes = sum.toBytes();
    sumPoints.set(latin1(bytes), sum);
    forgetOldest(sumPoints, SUMS_MAX);
    return bytes;
  },

  fastAggregateVerify(publicKeys, message, signature) {
    const key = keySum(publicKeys);
    const point = signaturePoint(signature);
    return key !== undefined && point !== undefined && blst().verify(message, key, point);
  },

  aggregateVerify(publicKeys, messages, signature) {
    const keys = decodeAll(publicKeys, publicKeyPoint);
    const point = signaturePoint(signature);
    if (keys === undefined || keys.length === 0 || keys.length !== messages.length || point === undefined) return false;
    const sums: { message: Uint8Array; key: PublicKey }[] = [];
    for (const signers of groupedByMessage(keys.map((key, index) => ({ key, message: messages[index] as Uint8Array })))) {
      const key = sumOf(signers.map((signer) => signer.key));
      if (key !== undefined) sums.push({ message: (signers[0] as { message: Uint8Array }).message, key });
    }
    if (sums.length === 0) return false;
    return blst().aggregateVerify(
      sums.map((sum) => sum.message),
      sums.map((sum) => sum.key),
      point,
    );
  },

  verifyBatch(sets) {
    const [only] = sets;
    if (only === undefined) return true;
    if (sets.length === 1) return blstBls.fastAggregateVerify(publicKeysOf(only), only.message, only.signature);
    const decoded = decodeAll(sets, decodeSet);
    const combined = decoded === undefined ? undefined : decodeAll(groupedByMessage(decoded), combine);
    return combined !== undefined && blst().verifyMultipleAggregateSignatures(combined);
  },

  isValidPublicKey: (publicKey) => publicKeyPoint(publicKey) !== undefined,
  isValidSignature: (signature) => signaturePoint(signature) !== undefined,
};

/** True if the native library has a build for this platform and loads. */
export function blstLoads(): boolean {
  try {
    blst();
    return true;
  } catch {
    return false;
  }
}

function blst(): Blst {
  loaded ??= createRequire(import.meta.url)('@chainsafe/blst') as Blst;
  return loaded;
}

function decodeSet(set: BlsSignatureSet | BlsAggregateSet): DecodedSet | undefined {
  const key = keySum(publicKeysOf(set));
  if (key === undefined || set.signature.length !== BLS_SIGNATURE_BYTES) return undefined;
  return { message: set.message, key, signature: set.signature };
}

// Sets over one message become one set under random coefficients (64 same votes: 9.5 ms instead of 28). The library validates
// the signatures on the way and throws on an invalid one.
function combine(sets: readonly DecodedSet[]): SignatureSet | undefined {
  const [first] = sets;
  if (first === undefined) return undefined;
  if (sets.length === 1) {
    const point = signaturePoint(first.signature);
    return point === undefined ? undefined : { msg: first.message, pk: first.key, sig: point };
  }
  try {
    const { pk, sig } = blst().aggregateWithRandomness(sets.map(({ key, signature }) => ({ pk: key, sig: signature })));
    return { msg: first.message, pk, sig };
  } catch {
    return undefined;
  }
}

function groupedByMessage<T extends { readonly message: Uint8Array }>(items: readonly T[]): readonly T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = latin1(item.message);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

// The sum of the keys; `undefined` for none, an invalid one, or if they cancel out to infinity.
function keySum(publicKeys: readonly Uint8Array[]): PublicKey | undefined {
  const keys = decodeAll(publicKeys, publicKeyPoint);
  return keys === undefined ? undefined : sumOf(keys);
}

function sumOf(keys: readonly PublicKey[]): PublicKey | undefined {
  if (keys.length <= 1) return keys[0];
  const sum = blst().aggregatePublicKeys([...keys]);
  return isInfinity(sum.toBytes()) ? undefined : sum;
}

function publicKeyPoint(bytes: Uint8Array): PublicKey | undefined {
  if (bytes.length !== BLS_PUBLIC_KEY_BYTES) return undefined;
  const memoryKey = latin1(bytes);
  const known = publicKeyPoints.get(memoryKey);
  if (known !== undefined) return known;
  try {
    const key = blst().PublicKey.fromBytes(bytes, true);
    publicKeyPoints.set(memoryKey, key);
    forgetOldest(publicKeyPoints, PUBLIC_KEYS_MAX);
    return key;
  } catch {
    return undefined;
  }
}

function signaturePoint(bytes: Uint8Array): Signature | undefined {
  if (bytes.length !== BLS_SIGNATURE_BYTES) return undefined;
  const sum = sumPoints.get(latin1(bytes));
  if (sum !== undefined) return sum;
  try {
    return blst().Signature.fromBytes(bytes, true, true);
  } catch {
    return undefined;
  }
}

// A point of the curve, of the group or not (31 µs, and 83 with that question): of a sum it is asked once. Parts beside the group that cancel
// out there change nothing: the sum is that of the signatures without them, and whoever verifies it sees no others.
function curvePoint(bytes: Uint8Array): Signature | undefined {
  if (bytes.length !== BLS_SIGNATURE_BYTES || isInfinity(bytes)) return undefined;
  try {
    return blst().Signature.fromBytes(bytes, false);
  } catch {
    return undefined;
  }
}

// The point at infinity does not count.
function isOfGroup(point: Signature): boolean {
  try {
    point.sigValidate(true);
    return true;
  } catch {
    return false;
  }
}

function isInfinity(compressed: Uint8Array): boolean {
  return ((compressed[0] as number) & INFINITY_FLAG) !== 0;
}

// The cheapest Map key of bytes.
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
