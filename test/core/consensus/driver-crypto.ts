// Keys and signatures for the in-memory driver: the real ones, or stand-ins of a few hashes that still refuse every forgery, so that
// thousands of schedules fit a test run. A stand-in signature is a hash of the secret key and the message; aggregates are XORs.
import type { BlsScheme } from '../../../src/core/crypto/bls.ts';
import { hash64, sha256 } from '../../../src/core/crypto/sha256.ts';
import { deriveValidatorKeys } from '../../../src/core/crypto/validator-keys.ts';
import { vrfOutput, vrfProve, vrfPublicKeyOf, vrfVerify } from '../../../src/core/crypto/vrf.ts';
import { bytesEqual, bytesToHex, uint64ToBytes } from '../../../src/core/primitives/bytes.ts';
import type { Committee } from '../../../src/core/protocol/committee.ts';

/** What the driver's nodes sign and verify with. */
export interface DriverCrypto {
  readonly bls: BlsScheme;
  blsSecretKeyOf(validator: number): Uint8Array;
  proveVrf(validator: number, alpha: Uint8Array): { readonly proof: Uint8Array; readonly output: Uint8Array };
  verifyVrf(validator: number, alpha: Uint8Array, proof: Uint8Array): Uint8Array | undefined;
  vrfPublicKeyOf(validator: number): Uint8Array;
}

/** Real BLS and VRF. */
export function realCrypto(bls: BlsScheme): DriverCrypto {
  const keysOf = memoised((validator) => deriveValidatorKeys(sha256(uint64ToBytes(validator))));
  return {
    bls,
    blsSecretKeyOf: (validator) => keysOf(validator).blsSecretKey,
    proveVrf(validator, alpha) {
      const proof = vrfProve(keysOf(validator).vrfSeed, alpha);
      return { proof, output: vrfOutput(proof) };
    },
    verifyVrf: (validator, alpha, proof) => vrfVerify(vrfPublicKeyOf(keysOf(validator).vrfSeed), alpha, proof),
    vrfPublicKeyOf: (validator) => vrfPublicKeyOf(keysOf(validator).vrfSeed),
  };
}

/** Stand-ins: see the file's head. */
export function standInCrypto(): DriverCrypto {
  const vrfSecretOf = (validator: number): Uint8Array => sha256(Uint8Array.of(9), uint64ToBytes(validator));
  const proofOf = (validator: number, alpha: Uint8Array): Uint8Array => stretched(sha256(vrfSecretOf(validator), alpha), 80);
  const outputOf = (proof: Uint8Array): Uint8Array => stretched(sha256(proof), 64);
  return {
    bls: standInBls(),
    blsSecretKeyOf: (validator) => sha256(Uint8Array.of(8), uint64ToBytes(validator)),
    proveVrf(validator, alpha) {
      const proof = proofOf(validator, alpha);
      return { proof, output: outputOf(proof) };
    },
    verifyVrf: (validator, alpha, proof) => (bytesEqual(proof, proofOf(validator, alpha)) ? outputOf(proof) : undefined),
    vrfPublicKeyOf: (validator) => sha256(vrfSecretOf(validator)),
  };
}

/** A committee of these validators with these seats. */
export function committeeOf(crypto: DriverCrypto, seatsByValidator: ReadonlyMap<number, number>): Committee {
  const members = [...seatsByValidator]
    .sort(([a], [b]) => a - b)
    .map(([validator, seats]) => ({
      validator,
      seats,
      blsPublicKey: crypto.bls.publicKeyOf(crypto.blsSecretKeyOf(validator)),
      vrfPublicKey: crypto.vrfPublicKeyOf(validator),
    }));
  return { members, totalSeats: members.reduce((sum, { seats }) => sum + seats, 0) };
}

// Verifying recomputes what the owner of the secret key would have signed, so it remembers the secret of each public key.
function standInBls(): BlsScheme {
  const secretOf = new Map<string, Uint8Array>();
  const secretOfArray = new WeakMap<Uint8Array, Uint8Array>();
  const secretBehind = (publicKey: Uint8Array): Uint8Array | undefined => {
    const secretKey = secretOfArray.get(publicKey) ?? secretOf.get(bytesToHex(publicKey));
    if (secretKey !== undefined) secretOfArray.set(publicKey, secretKey);
    return secretKey;
  };
  const bls: BlsScheme = {
    name: 'stand-in',
    publicKeyOf(secretKey) {
      const publicKey = stretched(sha256(secretKey), 48);
      secretOf.set(bytesToHex(publicKey), secretKey);
      return publicKey;
    },
    sign: (secretKey, message) => stretched(hash64(secretKey, message), 96),
    verify: (publicKey, message, signature) => bls.aggregateVerify([publicKey], [message], signature),
    aggregate: (signatures) => (signatures.length === 0 ? undefined : signatures.reduce(xor)),
    fastAggregateVerify: (publicKeys, message, signature) =>
      bls.aggregateVerify(publicKeys, new Array(publicKeys.length).fill(message), signature),
    aggregateVerify(publicKeys, messages, signature) {
      const expected: Uint8Array[] = [];
      for (const [index, publicKey] of publicKeys.entries()) {
        const secretKey = secretBehind(publicKey);
        if (secretKey === undefined) return false;
        expected.push(bls.sign(secretKey, messages[index] as Uint8Array));
      }
      return expected.length > 0 && bytesEqual(expected.reduce(xor), signature);
    },
    verifyBatch: () => false,
    isValidPublicKey: (publicKey) => secretBehind(publicKey) !== undefined,
    isValidSignature: (signature) => signature.length === 96,
  };
  return bls;
}

function stretched(hash: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let offset = 0; offset < length; offset += hash.length) bytes.set(hash.subarray(0, length - offset), offset);
  return bytes;
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  const sum = new Uint8Array(a.length);
  for (let i = 0; i < a.length; i++) sum[i] = (a[i] as number) ^ (b[i] as number);
  return sum;
}

function memoised<T>(make: (key: number) => T): (key: number) => T {
  const made = new Map<number, T>();
  return (key) => {
    const known = made.get(key) ?? make(key);
    made.set(key, known);
    return known;
  };
}
