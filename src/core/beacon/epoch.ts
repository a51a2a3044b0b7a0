// The transition of an epoch, the last step of its last but one block (protocol, section 6): the world root at its end, the seed of the next
// epoch, and layout and committees of the one after, so that each committee has a full epoch to fetch the state of its next shard. The last
// block comes after it and has no body: what closes the beacon's instance commits all of this.
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, ChainId, Epoch } from '../primitives/ids.ts';
import { checkLayout } from '../protocol/layout.ts';
import { isWithin, shardsIntersect } from '../protocol/subtrees.ts';
import { drawCommittees, type SeatHolder } from './committees.ts';
import type { BeaconConstants } from './constants.ts';
import { epochOfHeight } from './epochs.ts';
import { apportionSeats } from './seats.ts';
import { committeeSeedOf } from './seeds.ts';
import { type BeaconState, type EpochLayout, layoutOfEpoch, shardsOf, type Validator } from './state.ts';
import { worldRootOf } from './world-root.ts';

/** Evidence may be of an instance in its own epoch and in so many after it. */
export const EVIDENCE_EPOCHS = 4;

/** What the controller decides: the layout of the epoch after the next, from the state at the end of this one. */
export type NextLayout = (state: BeaconState) => readonly ChainId[];

/** See the file's head. `seed` is the beacon's after this block. */
export function runEpochTransition(constants: BeaconConstants, state: BeaconState, seed: Bytes32, nextLayout: NextLayout): BeaconState {
  const epoch = epochOfHeight(state.height, constants.parameters);
  const shards = nextLayout(state);
  invariant(
    isPermittedLayout(constants, state, shards),
    'the controller changes only what is of this epoch, by splits and by merges of two',
  );
  const layout = drawLayout(constants, state.validators, { epoch: epoch + 2, shards, seed: committeeSeedOf(seed, epoch + 2) });
  return forgetOldEpochs(epoch + 1, {
    ...state,
    seeds: [...state.seeds, { epoch: epoch + 1, seed }],
    worldRoots: [...state.worldRoots, worldRootOf(state)],
    layouts: [...state.layouts, layout],
  });
}

/** The committees of an epoch: of each shard by a draw of seats, of the beacon all that are active, with all their seats. */
export function drawLayout(
  { parameters, totalSeats }: BeaconConstants,
  validators: readonly Validator[],
  { epoch, shards, seed }: { readonly epoch: Epoch; readonly shards: readonly ChainId[]; readonly seed: Bytes32 },
): EpochLayout {
  const holders = seatHoldersOf(validators, epoch, totalSeats);
  const committees = drawCommittees({ seed, shards, holders, committeeSeats: parameters.committeeSeats });
  return {
    epoch,
    beaconMembers: [...holders],
    shards: committees.map(({ shard, members }) => ({ shard, members: [...members] })),
  };
}

/**
 * No change touches a record that is not of the current epoch, and no place changes again while its last change has not happened. So a record
 * follows at most two others, and the shard of a record is in the layout or splits or merges there, but never both.
 */
export function isPermittedLayout(constants: BeaconConstants, state: BeaconState, shards: readonly ChainId[]): boolean {
  const epoch = epochOfHeight(state.height, constants.parameters);
  const next = layoutOfEpoch(state, epoch + 1);
  invariant(next !== undefined, 'the layout of the next epoch is decided');
  const before = shardsOf(next);
  const layout = checkLayout(shards);
  if (!layout.ok || !layout.value.every((shard, index) => shard === shards[index])) return false;
  return shards.every((shard) => {
    if (before.includes(shard)) return true;
    const replaced = before.filter((other) => shardsIntersect(other, shard));
    const isMergeOfTwo = replaced.length === 2 && replaced.every((other) => other >>> 1 === shard);
    const isSplit = replaced.length === 1 && replaced.every((other) => isWithin(shard, other));
    return (isMergeOfTwo || isSplit) && replaced.every((other) => hasRecordOf(state, other, epoch));
  });
}

function hasRecordOf({ records }: BeaconState, shard: ChainId, epoch: Epoch): boolean {
  return records.some(({ record }) => record.shard === shard && record.epoch === epoch);
}

/** Who holds seats in an epoch. If nobody is left, those who were slashed go on: a chain without anybody could never let anyone in. */
function seatHoldersOf(validators: readonly Validator[], epoch: Epoch, totalSeats: number): readonly SeatHolder[] {
  const stakes = validators.map((validator, index) => ({ validator: index, stakeGwei: validator.stakeGwei }));
  const active = stakes.filter(({ validator }) => isActive(validators[validator] as Validator, epoch));
  const holders = apportionSeats(active, totalSeats);
  return holders.length > 0 ? holders : apportionSeats(stakes, totalSeats);
}

function isActive({ activationEpoch, exitEpoch, slashed }: Validator, epoch: Epoch): boolean {
  return !slashed && activationEpoch <= epoch && epoch < exitEpoch;
}

// An instance, its committee and the convictions in it are known for as long as evidence may be of it, and while a record of it is there.
function forgetOldEpochs(nextEpoch: Epoch, state: BeaconState): BeaconState {
  const oldest = Math.min(nextEpoch - EVIDENCE_EPOCHS, ...state.records.map(({ record }) => record.epoch));
  return {
    ...state,
    seeds: state.seeds.filter(({ epoch }) => epoch >= oldest),
    layouts: state.layouts.filter(({ epoch }) => epoch >= oldest),
    instances: state.instances.filter(({ record }) => record.epoch >= oldest),
    convictions: state.convictions.filter(({ epoch }) => epoch >= oldest),
  };
}
