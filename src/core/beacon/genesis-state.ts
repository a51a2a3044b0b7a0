// The beacon's state before its first block, from genesis (protocol, section 6): every validator active with 32 coins a seat, one start record
// for each shard of the layout, and the committees of the first two epochs, drawn with the seed of genesis.
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, ChainId } from '../primitives/ids.ts';
import type { StartRecord } from '../protocol/committee.ts';
import type { Genesis, GenesisValidator } from '../protocol/genesis.ts';
import { beaconConstantsOf } from './constants.ts';
import { drawLayout } from './epoch.ts';
import { NO_LOAD } from './load.ts';
import { committeeSeedOf, recordSeedOf } from './seeds.ts';
import { newSource } from './sources.ts';
import { freshEntry, withKnownInstances } from './start-records.ts';
import { type BeaconState, type EpochLayout, FAR_FUTURE_EPOCH, type Validator } from './state.ts';

/** Stake of one seat of genesis: the least that can be deposited. */
export const STAKE_PER_SEAT_GWEI = 32n * 10n ** 9n;

/** See the file's head. `stateRootOfShard` is the root of the genesis accounts under a shard of the layout. */
export function genesisBeaconState(genesis: Genesis, stateRootOfShard: (shard: ChainId) => Bytes32): BeaconState {
  const constants = beaconConstantsOf(genesis);
  const validators = genesis.validators.map(registered);
  const records = genesis.layout.map((shard) => firstRecord(genesis, shard, stateRootOfShard(shard)));
  const state: BeaconState = {
    height: 0,
    timestampMs: genesis.timestampMs,
    validators,
    rewardsWei: validators.map(() => 0n),
    burnedFeesWei: 0n,
    seeds: [{ epoch: 0, seed: genesis.seed }],
    layouts: [...firstLayoutsOf(genesis, validators)],
    worldRoots: [],
    records: records.map((record) => freshEntry(record, { cursors: [], load: NO_LOAD })),
    instances: [],
    sources: genesis.layout.map((shard) => newSource(shard, 0)).sort((a, b) => a.shard - b.shard),
    convictions: [],
    deposits: [],
    exits: [],
    forks: [{ version: 1, epoch: 0 }],
    eraRoots: [],
  };
  return withKnownInstances(constants, state, records);
}

// Several parts of a node begin with the state of genesis, and drawing is most of making it.
const firstLayouts = new WeakMap<Genesis, readonly EpochLayout[]>();

function firstLayoutsOf(genesis: Genesis, validators: readonly Validator[]): readonly EpochLayout[] {
  const known = firstLayouts.get(genesis);
  if (known !== undefined) return known;
  const constants = beaconConstantsOf(genesis);
  const layouts = [0, 1].map((epoch) =>
    drawLayout(constants, validators, { epoch, shards: genesis.layout, seed: committeeSeedOf(genesis.seed, epoch) }),
  );
  firstLayouts.set(genesis, layouts);
  return layouts;
}

function registered({ blsPublicKey, vrfPublicKey, peerKey, rewardAddress, seats }: GenesisValidator): Validator {
  invariant(Number.isSafeInteger(seats) && seats > 0, 'a genesis that was checked gives whole seats');
  return {
    blsPublicKey,
    vrfPublicKey,
    peerKey,
    rewardAddress,
    stakeGwei: BigInt(seats) * STAKE_PER_SEAT_GWEI,
    activationEpoch: 0,
    exitEpoch: FAR_FUTURE_EPOCH,
    withdrawableEpoch: FAR_FUTURE_EPOCH,
    slashed: false,
  };
}

function firstRecord({ parameters, timestampMs, seed }: Genesis, shard: ChainId, stateRoot: Bytes32): StartRecord {
  return {
    shard,
    epoch: 0,
    beaconHeight: 0,
    closingHeaders: [],
    stateRoot,
    height: 0,
    timestampMs,
    baseFeePerGasWei: parameters.baseFeePerGasWeiMin,
    seed: recordSeedOf(seed, shard, 0),
  };
}
