// A validator's keys from its one secret: 32 random bytes are all that an operator has to back up. Each key is HKDF-SHA-256 of the
// seed with its own info string, so that none tells anything about another or about the seed.
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bigintToBytes, bytesToBigint } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import { BLS_SECRET_KEY_BYTES } from './bls.ts';

/** Bytes of the seed from which all keys of a validator come. */
export const VALIDATOR_SEED_BYTES = 32;

// 48 bytes before the reduction make its bias 2^-128 (RFC 9380, section 5).
const BLS_MATERIAL_BYTES = 48;
const GROUP_ORDER = bls12_381.fields.Fr.ORDER;

/** The secrets of one validator. */
export interface ValidatorKeys {
  /** Big-endian scalar. */
  readonly blsSecretKey: Uint8Array;
  /** edwards25519 seed of the VRF key. */
  readonly vrfSeed: Uint8Array;
  /** ed25519 seed of the network identity. */
  readonly peerSeed: Uint8Array;
}

/** The keys of the validator whose secret is `seed`. */
export function deriveValidatorKeys(seed: Uint8Array): ValidatorKeys {
  invariant(seed.length === VALIDATOR_SEED_BYTES, 'a validator seed has 32 bytes');
  return { blsSecretKey: blsSecretKeyOf(seed), vrfSeed: derive(seed, 'coppice/vrf', 32), peerSeed: derive(seed, 'coppice/peer', 32) };
}

function blsSecretKeyOf(seed: Uint8Array): Uint8Array {
  const scalar = bytesToBigint(derive(seed, 'coppice/bls', BLS_MATERIAL_BYTES)) % GROUP_ORDER;
  invariant(scalar !== 0n, 'a BLS secret key is not zero: one seed in 2^255 has to be thrown away');
  return bigintToBytes(scalar, BLS_SECRET_KEY_BYTES);
}

function derive(seed: Uint8Array, info: string, length: number): Uint8Array {
  return hkdf(sha256, seed, undefined, new TextEncoder().encode(info), length);
}
