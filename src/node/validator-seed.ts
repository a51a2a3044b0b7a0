// The one secret of a validator on disk, and what it publishes of itself: the entry that goes into genesis.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import type { BlsScheme } from '../core/crypto/bls.ts';
import { deriveValidatorKeys, VALIDATOR_SEED_BYTES, type ValidatorKeys } from '../core/crypto/validator-keys.ts';
import { vrfPublicKeyOf } from '../core/crypto/vrf.ts';
import { bytesToHex, bytesToPrefixedHex, hex, hexToBytes } from '../core/primitives/bytes.ts';
import { CoppiceError } from '../core/primitives/errors.ts';
import { possessionSigningRoot, type ValidatorIdentity } from '../core/protocol/genesis.ts';
import type { DataDirectory } from '../storage/data-directory.ts';
import { makeFolder } from '../storage/make-folder.ts';
import type { GenesisFileValidator } from './genesis-file.ts';
import './errors.ts';

/** Makes a new seed, for the owner alone to read; throws `data-directory/exists` rather than replace one. */
export function createSeedFile({ seedFile }: DataDirectory): void {
  if (existsSync(seedFile)) throw new CoppiceError('data-directory/exists', { path: seedFile });
  makeFolder(dirname(seedFile), 0o700);
  writeFileSync(seedFile, `${bytesToHex(randomBytes(VALIDATOR_SEED_BYTES))}\n`, { mode: 0o600, flag: 'wx' });
}

/** The keys of the data directory's validator; throws `data-directory/missing` or `keys/invalid`. */
export function readValidatorKeys({ seedFile }: DataDirectory): ValidatorKeys {
  let text: string;
  try {
    text = readFileSync(seedFile, 'utf8');
  } catch {
    throw new CoppiceError('data-directory/missing', { path: seedFile, advice: 'make the keys with coppice keys, or put back your copy' });
  }
  const seed = hexToBytes(text.trim());
  if (seed?.length !== VALIDATOR_SEED_BYTES) {
    throw new CoppiceError('keys/invalid', { path: seedFile, detail: `not ${VALIDATOR_SEED_BYTES} bytes of hexadecimal` });
  }
  return deriveValidatorKeys(seed);
}

/** What a validator's keys make of it, with the proof that it holds the BLS key. */
export function genesisEntryOf(keys: ValidatorKeys, rewardAddress: string, seats: number, bls: BlsScheme): GenesisFileValidator {
  const identity: ValidatorIdentity = {
    blsPublicKey: bls.publicKeyOf(keys.blsSecretKey),
    vrfPublicKey: vrfPublicKeyOf(keys.vrfSeed),
    peerKey: ed25519.getPublicKey(keys.peerSeed),
    rewardAddress: hex(rewardAddress),
  };
  return {
    blsPublicKey: bytesToPrefixedHex(identity.blsPublicKey),
    vrfPublicKey: bytesToPrefixedHex(identity.vrfPublicKey),
    peerKey: bytesToPrefixedHex(identity.peerKey),
    rewardAddress,
    seats,
    proofOfPossession: bytesToPrefixedHex(bls.sign(keys.blsSecretKey, possessionSigningRoot(identity))),
  };
}
