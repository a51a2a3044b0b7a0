// Stand-ins for the signatures of consensus and accounts and for the VRF: a few hashes instead of milliseconds of curve arithmetic, so that
// thousands of schedules fit into minutes. They keep the interfaces and refuse every forgery: a stand-in signature is a hash of the secret
// key and the message, an aggregate the XOR of such hashes, and who verifies computes again what the owner of the key would have signed.
// For that a stand-in remembers the secret behind each public key (of an account: what it signed), and so it is good for one process only.
import { type BlsScheme, publicKeysOf } from '../core/crypto/bls.ts';
import type { Secp256k1 } from '../core/crypto/secp256k1.ts';
import { hash64, sha256 } from '../core/crypto/sha256.ts';
import { VRF_PROOF_BYTES, type VrfScheme } from '../core/crypto/vrf.ts';
import { bytesEqual, bytesToHex } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';

const PUBLIC_KEY_BYTES = 48;
const SIGNATURE_BYTES = 96;
const VRF_OUTPUT_BYTES = 64;
const ACCOUNT_KEY_BYTES = 64;
/** Account signatures that one stand-in remembers. */
const SIGNED_MAX = 1_000_000;
/** Before what is hashed for the VRF and for accounts, so that nothing is at the same time what somebody signed for another purpose. */
const VRF_TAG = Uint8Array.of(9);
const ACCOUNT_TAG = Uint8Array.of(8);

/** All stand-ins of one process, or of one schedule. */
export interface StandInCrypto {
  readonly bls: BlsScheme;
  readonly vrf: VrfScheme;
  readonly secp256k1: Secp256k1;
  /** Whose keys they made and what was signed is forgotten: for the next schedule they are as new, and its code meets the functions that it knows. */
  forget(): void;
}

/** See there. */
export function standInCrypto(): StandInCrypto {
  const [ofVotes, ofDraws, signed] = [new SecretsByPublicKey(), new SecretsByPublicKey(), new Map<string, Signed>()];
  return {
    bls: standInBls(ofVotes),
    vrf: standInVrf(ofDraws),
    secp256k1: standInSecp256k1(signed),
    forget() {
      ofVotes.forget();
      ofDraws.forget();
      signed.clear();
    },
  };
}

/** Consensus signatures of a few hashes. */
export function standInBls(secrets: SecretsByPublicKey = new SecretsByPublicKey()): BlsScheme {
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
export function standInVrf(secrets: SecretsByPublicKey = new SecretsByPublicKey()): VrfScheme {
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

/** Account signatures of a few hashes: only what was signed here has a signer. */
export function standInSecp256k1(signed = new Map<string, Signed>()): Secp256k1 {
  const publicKeyOf = (secretKey: Uint8Array): Uint8Array => stretched(sha256(ACCOUNT_TAG, secretKey), ACCOUNT_KEY_BYTES);
  return {
    name: 'stand-in',
    publicKeyOf,
    sign(secretKey, messageHash) {
      const r = inRange(sha256(ACCOUNT_TAG, secretKey, messageHash));
      const s = inRange(sha256(r));
      const yParity = (s[0] as number) % 2 === 0 ? 0 : 1;
      invariant(signed.size < SIGNED_MAX, 'the signatures of one schedule are bounded');
      signed.set(bytesToHex(r), { messageHash, s, yParity, publicKey: publicKeyOf(secretKey) });
      return { r, s, yParity };
    },
    recoverPublicKey(messageHash, r, s, yParity) {
      const known = signed.get(bytesToHex(r));
      const isSame =
        known !== undefined && bytesEqual(known.messageHash, messageHash) && bytesEqual(known.s, s) && known.yParity === yParity;
      return isSame ? known.publicKey : undefined;
    },
  };
}

interface Signed {
  readonly messageHash: Uint8Array;
  readonly s: Uint8Array;
  readonly yParity: 0 | 1;
  readonly publicKey: Uint8Array;
}

// Above zero, and below half of the curve's order.
function inRange(hash: Uint8Array): Uint8Array {
  return hash.with(0, ((hash[0] as number) & 0x3f) | 1);
}

class SecretsByPublicKey {
  readonly #byName = new Map<string, Uint8Array>();
  /** The same by array, which committees keep: most lookups need no name. */
  #byArray = new WeakMap<Uint8Array, Uint8Array>();

  remember(publicKey: Uint8Array, secret: Uint8Array): Uint8Array {
    this.#byName.set(bytesToHex(publicKey), secret);
    return publicKey;
  }

  forget(): void {
    this.#byName.clear();
    this.#byArray = new WeakMap();
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
