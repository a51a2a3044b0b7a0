// Stand-ins for the consensus signatures and the VRF: a few hashes instead of milliseconds of curve arithmetic, so that thousands of
// schedules fit into minutes. They keep the interfaces and refuse every forgery: a stand-in signature is a hash of the secret key and the
// message, an aggregate the XOR of such hashes, and who verifies computes again what the owner of the key would have signed. For that
// a stand-in remembers the secret behind each public key, and so it is good for one process only.
import { type BlsScheme, publicKeysOf } from '../core/crypto/bls.ts';
import type { Secp256k1 } from '../core/crypto/secp256k1.ts';
import { hash64, sha256 } from '../core/crypto/sha256.ts';
import { VRF_PROOF_BYTES, type VrfScheme } from '../core/crypto/vrf.ts';
import { bytesEqual, bytesToHex } from '../core/primitives/bytes.ts';

const PUBLIC_KEY_BYTES = 48;
const SIGNATURE_BYTES = 96;
const VRF_OUTPUT_BYTES = 64;
const RECOVERED_MAX = 16_384;
/** Before what is hashed for the VRF, so that no proof is a hash that somebody signed. */
const VRF_TAG = Uint8Array.of(9);

/** Consensus signatures of a few hashes. */
export function standInBls(): BlsScheme {
  const secrets = new SecretsByPublicKey();
  const isSumOf = (publicKeys: readonly Uint8Array[], messageAt: (index: number) => Uint8Array, signature: Uint8Array): boolean => {
    const sum = new Uint8Array(SIGNATURE_BYTES);
    for (const [index, publicKey] of publicKeys.entries()) {
      const secretKey = secrets.behind(publicKey);
      if (secretKey === undefined) return false;
      addTo(sum, signatureOf(secretKey, messageAt(index)));
    }
    return publicKeys.length > 0 && bytesEqual(sum, signature);
  };
  return {
    name: 'stand-in',
    publicKeyOf: (secretKey) => secrets.remember(stretched(sha256(secretKey), PUBLIC_KEY_BYTES), secretKey),
    sign: signatureOf,
    verify: (publicKey, message, signature) => isSumOf([publicKey], () => message, signature),
    aggregate(signatures) {
      if (signatures.length === 0) return undefined;
      const sum = new Uint8Array(SIGNATURE_BYTES);
      for (const signature of signatures) addTo(sum, signature);
      return sum;
    },
    fastAggregateVerify: (publicKeys, message, signature) => isSumOf(publicKeys, () => message, signature),
    aggregateVerify: (publicKeys, messages, signature) =>
      publicKeys.length === messages.length && isSumOf(publicKeys, (index) => messages[index] as Uint8Array, signature),
    verifyBatch: (sets) => sets.every((set) => isSumOf(publicKeysOf(set), () => set.message, set.signature)),
    isValidPublicKey: (publicKey) => secrets.behind(publicKey) !== undefined,
    isValidSignature: (signature) => signature.length === SIGNATURE_BYTES,
  };
}

/** A verifiable random function of a few hashes. */
export function standInVrf(): VrfScheme {
  const secrets = new SecretsByPublicKey();
  const prove = (seed: Uint8Array, alpha: Uint8Array): Uint8Array => stretched(sha256(VRF_TAG, seed, alpha), VRF_PROOF_BYTES);
  const output = (proof: Uint8Array): Uint8Array => stretched(sha256(proof), VRF_OUTPUT_BYTES);
  return {
    name: 'stand-in',
    publicKeyOf: (seed) => secrets.remember(sha256(VRF_TAG, seed), seed),
    prove,
    verify(publicKey, alpha, proof) {
      const seed = secrets.behind(publicKey);
      return seed !== undefined && bytesEqual(proof, prove(seed, alpha)) ? output(proof) : undefined;
    },
    output,
  };
}

/** Account signatures as they are, but recovered once for all nodes of a process: the answer is the same everywhere. */
export function recoveringOnce(secp256k1: Secp256k1): Secp256k1 {
  const known = new Map<string, Uint8Array | undefined>();
  return {
    ...secp256k1,
    recoverPublicKey(messageHash, r, s, yParity) {
      const key = `${bytesToHex(messageHash)} ${bytesToHex(r)} ${bytesToHex(s)} ${yParity}`;
      if (known.has(key)) return known.get(key);
      if (known.size >= RECOVERED_MAX) known.clear();
      const publicKey = secp256k1.recoverPublicKey(messageHash, r, s, yParity);
      known.set(key, publicKey);
      return publicKey;
    },
  };
}

class SecretsByPublicKey {
  readonly #byName = new Map<string, Uint8Array>();
  /** The same by array, which committees keep: most lookups need no name. */
  readonly #byArray = new WeakMap<Uint8Array, Uint8Array>();

  remember(publicKey: Uint8Array, secret: Uint8Array): Uint8Array {
    this.#byName.set(bytesToHex(publicKey), secret);
    return publicKey;
  }

  behind(publicKey: Uint8Array): Uint8Array | undefined {
    const known = this.#byArray.get(publicKey);
    if (known !== undefined) return known;
    const secret = this.#byName.get(bytesToHex(publicKey));
    if (secret !== undefined) this.#byArray.set(publicKey, secret);
    return secret;
  }
}

function signatureOf(secretKey: Uint8Array, message: Uint8Array): Uint8Array {
  return stretched(hash64(secretKey, message), SIGNATURE_BYTES);
}

function addTo(sum: Uint8Array, signature: Uint8Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) ^ (signature[i] ?? 0);
}

function stretched(hash: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let offset = 0; offset < length; offset += hash.length) bytes.set(hash.subarray(0, length - offset), offset);
  return bytes;
}
