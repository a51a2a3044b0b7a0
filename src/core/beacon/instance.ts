// From a start record to its instance: the committee of the record's epoch, with the keys that the registry has for its members. A registry's
// places are never given again, so an instance is the same whenever it is made while its epoch's layout is kept.
import { invariant } from '../primitives/errors.ts';
import { BEACON_CHAIN, type Bytes32, type Epoch } from '../primitives/ids.ts';
import { type Committee, type Instance, makeInstance, type StartRecord } from '../protocol/committee.ts';
import type { SeatHolder } from './committees.ts';
import type { BeaconConstants } from './constants.ts';
import { epochOfHeight, isLastOfEpoch } from './epochs.ts';
import { NO_BASE_FEE_WEI } from './header-fields.ts';
import { seedOfEpoch } from './seeds.ts';
import { type BeaconState, layoutOfEpoch } from './state.ts';
import { stateRootOf } from './state-root.ts';

/** The instance of a shard's record, or of the beacon's own. */
export function instanceOfRecord(constants: BeaconConstants, state: BeaconState, record: StartRecord): Instance {
  const layout = layoutOfEpoch(state, record.epoch);
  invariant(layout !== undefined, `the layout of epoch ${record.epoch} is kept while a record of it is known`);
  const members = record.shard === BEACON_CHAIN ? layout.beaconMembers : layout.shards.find(({ shard }) => shard === record.shard)?.members;
  invariant(members !== undefined, `a record's shard ${record.shard} is in the layout of its epoch`);
  return makeInstance(constants.genesisRoot, record, committeeOfMembers(state, members));
}

/** The beacon's first start record: the genesis state, with the seed of epoch 0. */
export function firstBeaconRecord(state: BeaconState): StartRecord {
  invariant(state.height === 0, 'the first instance of the beacon starts from the genesis state');
  return recordOnState(state, 0, []);
}

/** The record of the beacon's next instance, derived from the last block of an epoch and the state after it: no state holds it. */
export function beaconStartRecord({ parameters }: BeaconConstants, state: BeaconState, closingHash: Bytes32): StartRecord {
  invariant(isLastOfEpoch(state.height, parameters), 'an instance of the beacon ends with its epoch');
  return recordOnState(state, epochOfHeight(state.height, parameters) + 1, [closingHash]);
}

function recordOnState(state: BeaconState, epoch: Epoch, closingHeaders: Bytes32[]): StartRecord {
  const { height, timestampMs } = state;
  return {
    shard: BEACON_CHAIN,
    epoch,
    beaconHeight: height,
    closingHeaders,
    stateRoot: stateRootOf(state),
    height,
    timestampMs,
    baseFeePerGasWei: NO_BASE_FEE_WEI,
    seed: seedOfEpoch(state, epoch),
  };
}

function committeeOfMembers({ validators }: BeaconState, members: readonly SeatHolder[]): Committee {
  return {
    members: members.map(({ validator, seats }) => {
      const registered = validators[validator];
      invariant(registered !== undefined, 'who holds seats is in the registry');
      return { validator, seats, blsPublicKey: registered.blsPublicKey, vrfPublicKey: registered.vrfPublicKey };
    }),
    totalSeats: members.reduce((sum, { seats }) => sum + seats, 0),
  };
}
