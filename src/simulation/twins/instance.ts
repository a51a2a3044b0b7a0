// An instance whose leaders are those of a scenario. Leaders are drawn from the seed of the start record as long as no height that the leader
// window counts lies deep enough, which is so in all rounds of a scenario: so a seed that draws the wanted leaders is searched for, and the
// engine draws them by itself.
import { leaderOf } from '../../core/consensus/leader.ts';
import { startPoint } from '../../core/consensus/state.ts';
import { sha256 } from '../../core/crypto/sha256.ts';
import { uint64ToBytes, ZERO_32 } from '../../core/primitives/bytes.ts';
import { invariant } from '../../core/primitives/errors.ts';
import type { ValidatorIndex } from '../../core/primitives/ids.ts';
import { type Committee, type Instance, makeInstance } from '../../core/protocol/committee.ts';
import { standInBls, standInVrf } from '../stand-in-crypto.ts';

const SEEDS_MAX = 50_000_000;
const GENESIS_ROOT = sha256(new TextEncoder().encode('twins'));

/** Keys of all validators, and what they sign with: stand-ins that refuse every forgery. */
export class Keys {
  readonly bls = standInBls();
  readonly vrf = standInVrf();
  readonly committee: Committee;
  readonly #secrets: readonly Uint8Array[];

  constructor(validators: number) {
    this.#secrets = Array.from({ length: validators }, (_unused, validator) => sha256(uint64ToBytes(validator)));
    const members = this.#secrets.map((secret, validator) => ({
      validator,
      seats: 1,
      blsPublicKey: this.bls.publicKeyOf(secret),
      vrfPublicKey: this.vrf.publicKeyOf(secret),
    }));
    this.committee = { members, totalSeats: validators };
  }

  /** Signs and proves for a validator. */
  secretOf(validator: ValidatorIndex): Uint8Array {
    const secret = this.#secrets[validator];
    invariant(secret !== undefined, 'every validator has its keys');
    return secret;
  }
}

/** The instance of the least seed from which these validators are drawn to lead rounds 1, 2, … */
export function instanceWithLeaders(committee: Committee, leaders: readonly ValidatorIndex[]): Instance {
  for (let seed = 0; seed < SEEDS_MAX; seed++) {
    const instance = makeInstance(GENESIS_ROOT, startRecordOf(seed), committee);
    const start = startPoint(instance);
    if (leaders.every((leader, index) => leaderOf(instance, start, index + 1) === leader)) return instance;
  }
  throw new Error(`no seed below ${SEEDS_MAX} draws the leaders ${leaders.join(', ')}: ask for fewer rounds`);
}

function startRecordOf(seed: number): Instance['startRecord'] {
  return {
    shard: 1,
    epoch: 0,
    beaconHeight: 0,
    closingHeaders: [],
    stateRoot: ZERO_32,
    height: 0,
    timestampMs: 0,
    baseFeePerGasWei: 1n,
    seed: sha256(uint64ToBytes(seed)),
  };
}
