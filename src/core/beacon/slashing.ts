// Evidence in a beacon block (protocol, sections 3 and 6): who is proved to have signed what no honest validator signs loses stake, is marked as
// slashed and is in no committee that is drawn from then on. Those that are drawn already it serves in, or honest seats would be missing there.
//
// The rule upheld: one validator is punished once for one instance, whatever pieces of evidence there are of it; and nobody for an instance that
// the state does not know, whose committee it could not tell. Known are the instances of this epoch and of the four before it (epoch.ts), of
// shards and of the beacon, and that of every record still there.
import { accusationOf, type EvidenceRefusal } from '../consensus/evidence/accusation.ts';
import { decodeEvidence, type EvidenceCodecRefusal } from '../consensus/evidence/evidence.ts';
import type { SignatureSet } from '../consensus/signature-sets.ts';
import { bytesEqual } from '../primitives/bytes.ts';
import type { ValidatorIndex } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import type { BeaconConstants } from './constants.ts';
import { epochOfHeight } from './epochs.ts';
import { instanceOfRecord } from './instance.ts';
import type { BeaconState, Validator } from './state.ts';

/** What a validator loses for each instance: this part of its stake, rounded up. How much more when many are guilty at once comes later. */
export const SLASHED_PART = 32n;

/** Why evidence is no operation of a block. */
export type SlashingRefusal = EvidenceCodecRefusal | EvidenceRefusal | 'unknown-instance' | 'already-punished';

/** A state after punishing, which holds if every claim verifies and of the doubted sets, where there are any, not all do. */
export interface Slashing {
  readonly state: BeaconState;
  /** Who is punished by this piece, in ascending order: at least one. */
  readonly slashed: readonly ValidatorIndex[];
  readonly claims: readonly SignatureSet[];
  readonly doubted: readonly SignatureSet[];
}

/** See the file's head. `state.height` is that of the block that holds the evidence. */
export function applyEvidence(constants: BeaconConstants, state: BeaconState, encoded: Uint8Array): Verdict<Slashing, SlashingRefusal> {
  const evidence = decodeEvidence(encoded);
  if (!evidence.ok) return evidence;
  const known = state.instances.find(({ instanceId }) => bytesEqual(instanceId, evidence.value.instanceId));
  if (known === undefined) return refuse('unknown-instance');
  const accused = accusationOf(instanceOfRecord(constants, state, known.record), evidence.value);
  if (!accused.ok) return accused;
  const { guilty, claims, doubted } = accused.value;
  const slashed = guilty.filter((validator) => !isConvicted(state, known.instanceId, validator));
  if (slashed.length === 0) return refuse('already-punished', `all of ${guilty.length}`);
  const convictions = slashed.map((validator) => ({ epoch: known.record.epoch, instanceId: known.instanceId, validator }));
  const exitEpoch = epochOfHeight(state.height, constants.parameters) + 2; // The first that is not drawn yet.
  const validators = state.validators.map((validator, index) => (slashed.includes(index) ? punished(validator, exitEpoch) : validator));
  return accept({ state: { ...state, validators, convictions: [...state.convictions, ...convictions] }, slashed, claims, doubted });
}

function isConvicted({ convictions }: BeaconState, instanceId: Uint8Array, validator: ValidatorIndex): boolean {
  return convictions.some((conviction) => conviction.validator === validator && bytesEqual(conviction.instanceId, instanceId));
}

function punished(validator: Validator, exitEpoch: number): Validator {
  const lossGwei = (validator.stakeGwei + SLASHED_PART - 1n) / SLASHED_PART;
  return {
    ...validator,
    stakeGwei: validator.stakeGwei - lossGwei,
    exitEpoch: Math.min(validator.exitEpoch, exitEpoch),
    slashed: true,
  };
}
