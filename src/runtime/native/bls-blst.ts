// BLS on @chainsafe/blst, the native library that validators run: 0.28 ms to sign, 0.8 ms to verify. Its binding has the
// proof-of-possession ciphersuite built in (the tests hold it against the portable form). Nothing native is loaded before the
// first use, so that importing this file works on a platform without a build.
import { createRequire } from 'node:module';
import type { PublicKey, Signature, SignatureSet } from '@chainsafe/blst';
import { BLS_PUBLIC_KEY_BYTES, BLS_SIGNATURE_BYTES, type BlsScheme, type BlsSignatureSet } from '../../core/crypto/bls.ts';

type Blst = typeof import('@chainsafe/blst');

/** Public keys kept deserialised: a committee's come again with every vote, and decompressing one costs more than half a verification's hash. */
const PUBLIC_KEY_CACHE_MAX = 4_096;

const publicKeyCache = new Map<string, PublicKey>();
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
    const points = allOf(signatures, signaturePoint);
    if (points === undefined || points.length === 0) return undefined;
    const sum = blst()
      .aggregateSignatures(points as Signature[])
      .toBytes();
    return isInfinity(sum) ? undefined : sum;
  },

  fastAggregateVerify(publicKeys, message, signature) {
    const keys = allOf(publicKeys, publicKeyPoint);
    const point = signaturePoint(signature);
    if (keys === undefined || keys.length === 0 || point === undefined) return false;
    return blst().fastAggregateVerify(message, keys as PublicKey[], point);
  },

  aggregateVerify(publicKeys, messages, signature) {
    const keys = allOf(publicKeys, publicKeyPoint);
    const point = signaturePoint(signature);
    if (keys === undefined || keys.length === 0 || keys.length !== messages.length || point === undefined) return false;
    return blst().aggregateVerify([...messages], keys as PublicKey[], point);
  },

  verifyBatch(sets) {
    const decoded = allOf(sets, decodedSet);
    if (decoded === undefined) return false;
    return decoded.length === 0 || blst().verifyMultipleAggregateSignatures(decoded as SignatureSet[]);
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

function publicKeyPoint(bytes: Uint8Array): PublicKey | undefined {
  if (bytes.length !== BLS_PUBLIC_KEY_BYTES) return undefined;
  const cacheKey = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const cached = publicKeyCache.get(cacheKey);
  if (cached !== undefined) return cached;
  try {
    const key = blst().PublicKey.fromBytes(bytes, true);
    if (publicKeyCache.size >= PUBLIC_KEY_CACHE_MAX) {
      const oldest = publicKeyCache.keys().next();
      if (!oldest.done) publicKeyCache.delete(oldest.value);
    }
    publicKeyCache.set(cacheKey, key);
    return key;
  } catch {
    return undefined;
  }
}

function signaturePoint(bytes: Uint8Array): Signature | undefined {
  if (bytes.length !== BLS_SIGNATURE_BYTES) return undefined;
  try {
    return blst().Signature.fromBytes(bytes, true, true);
  } catch {
    return undefined;
  }
}

function decodedSet(set: BlsSignatureSet): SignatureSet | undefined {
  const pk = publicKeyPoint(set.publicKey);
  const sig = signaturePoint(set.signature);
  return pk === undefined || sig === undefined ? undefined : { msg: set.message, pk, sig };
}

function isInfinity(compressed: Uint8Array): boolean {
  return ((compressed[0] as number) & 0x40) !== 0;
}

function allOf<T, P>(items: readonly T[], decode: (item: T) => P | undefined): readonly P[] | undefined {
  const points: P[] = [];
  for (const item of items) {
    const point = decode(item);
    if (point === undefined) return undefined;
    points.push(point);
  }
  return points;
}
