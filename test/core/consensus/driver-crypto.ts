// Keys and signatures for the in-memory driver: the real ones, or the simulator's stand-ins, so that thousands of schedules fit a run.
import type { BlsScheme } from '../../../src/core/crypto/bls.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { deriveValidatorKeys } from '../../../src/core/crypto/validator-keys.ts';
import { vrfOutput, vrfProve, vrfPublicKeyOf, vrfVerify } from '../../../src/core/crypto/vrf.ts';
import { uint64ToBytes } from '../../../src/core/primitives/bytes.ts';
import type { Committee } from '../../../src/core/protocol/committee.ts';
import { standInBls, standInVrf } from '../../../src/simulation/stand-in-crypto.ts';

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

/** Stand-ins that still refuse every forgery. */
export function standInCrypto(): DriverCrypto {
  const vrf = standInVrf();
  const vrfSeedOf = memoised((validator) => sha256(Uint8Array.of(9), uint64ToBytes(validator)));
  const vrfKeyOf = memoised((validator) => vrf.publicKeyOf(vrfSeedOf(validator)));
  return {
    bls: standInBls(),
    blsSecretKeyOf: (validator) => sha256(Uint8Array.of(8), uint64ToBytes(validator)),
    proveVrf(validator, alpha) {
      const proof = vrf.prove(vrfSeedOf(validator), alpha);
      return { proof, output: vrf.output(proof) };
    },
    verifyVrf: (validator, alpha, proof) => vrf.verify(vrfKeyOf(validator), alpha, proof),
    vrfPublicKeyOf: vrfKeyOf,
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

function memoised<T>(make: (key: number) => T): (key: number) => T {
  const made = new Map<number, T>();
  return (key) => {
    const known = made.get(key) ?? make(key);
    made.set(key, known);
    return known;
  };
}
