// The beacon's state (protocol, section 6): one SSZ container, whose root every beacon header carries. So each field has a Merkle proof
// (state-proof.ts), and whoever follows the beacon's headers can check who runs which shard, from where, and what is final.
//
// A state is a readonly value. The next one shares every part that did not change, which is what makes its root cheap (state-root.ts): so never
// write into a part, and make a new object of whatever changes.
import { BooleanType, ContainerType, ListBasicType, ListCompositeType, type ValueOf } from '@chainsafe/ssz';
import type { Epoch } from '../primitives/ids.ts';
import { Cursor, Load } from '../protocol/block.ts';
import { StartRecord } from '../protocol/committee.ts';
import { COMMITTEE_MEMBERS_MAX, CURSORS_MAX, SHARDS_MAX } from '../protocol/limits.ts';
import { Bytes20, Bytes32Type, Bytes48, Bytes96, Uint8, Uint32, Uint64, Uint64Bigint, Uint256 } from '../protocol/ssz.ts';

/** Validators that there ever were: a place in the registry is never given again. */
export const VALIDATORS_MAX = 2 ** 20;
/** Epochs whose layouts and committees the state holds: of those of open records, of evidence, and of the next two. */
export const LAYOUTS_MAX = 32;
/** Epochs that a network may last: their world roots and the roots of their era files stay for ever. */
export const EPOCHS_MAX = 2 ** 24;
/** Start records that evidence may be of: those of some epochs, the beacon's among them. */
export const INSTANCES_MAX = 2 ** 16;
/** Shard ids that there can be: the nodes of the tree down to the deepest shard. */
export const SOURCES_MAX = 2 ** 17;
/** Convictions that are remembered: of each validator one for each instance that is known. */
export const CONVICTIONS_MAX = 2 ** 24;
/** Operations that wait. */
export const PENDING_MAX = 2 ** 16;
/** Upgrades of the protocol. */
export const FORKS_MAX = 2 ** 10;
/** An epoch that never comes: of a validator that has no mind to leave. */
export const FAR_FUTURE_EPOCH: Epoch = Number.MAX_SAFE_INTEGER;

/** A staked identity and where it stands. Its place in the registry is its validator index. */
export const Validator = new ContainerType(
  {
    blsPublicKey: Bytes48,
    vrfPublicKey: Bytes32Type,
    peerKey: Bytes32Type,
    rewardAddress: Bytes20,
    stakeGwei: Uint64Bigint,
    /** It is in the committees of epochs from this on, */
    activationEpoch: Uint64,
    /** and of none from this on; */
    exitEpoch: Uint64,
    /** from this on its stake may leave. */
    withdrawableEpoch: Uint64,
    slashed: new BooleanType(),
  },
  { typeName: 'Validator', jsonCase: 'eth2' },
);
export type Validator = ValueOf<typeof Validator>;

/** What all draws of an epoch derive from. */
const EpochSeed = new ContainerType({ epoch: Uint64, seed: Bytes32Type }, { typeName: 'EpochSeed', jsonCase: 'eth2' });

const SeatHolder = new ContainerType({ validator: Uint32, seats: Uint32 }, { typeName: 'SeatHolder', jsonCase: 'eth2' });

const SeatHolders = new ListCompositeType(SeatHolder, COMMITTEE_MEMBERS_MAX);

const ShardCommittee = new ContainerType({ shard: Uint64, members: SeatHolders }, { typeName: 'ShardCommittee', jsonCase: 'eth2' });

/** The shards of one epoch from left to right with who runs each, and who runs the beacon. */
export const EpochLayout = new ContainerType(
  { epoch: Uint64, beaconMembers: SeatHolders, shards: new ListCompositeType(ShardCommittee, SHARDS_MAX) },
  { typeName: 'EpochLayout', jsonCase: 'eth2' },
);
export type EpochLayout = ValueOf<typeof EpochLayout>;

/** How far an instance is final: its last crosslinked header, and the state that it commits. Of a record without any, the record itself. */
const Progress = new ContainerType(
  {
    /** The hash of the header; the root of the record. */
    hash: Bytes32Type,
    height: Uint64,
    /** 0 for the record. */
    round: Uint64,
    timestampMs: Uint64,
    baseFeePerGasWei: Uint256,
    /** Whom the fees of the next header's execution are owed to; of the record's, that is empty, nobody: 0. */
    proposer: Uint32,
    /** What the header commits: the state after its parent. */
    stateRoot: Bytes32Type,
    /** Of a record that follows two, those of both. */
    cursors: new ListCompositeType(Cursor, 2 * CURSORS_MAX),
    load: Load,
    /** The beacon block that the header names. */
    referenceHeight: Uint64,
  },
  { typeName: 'Progress', jsonCase: 'eth2' },
);
export type Progress = ValueOf<typeof Progress>;

/** The root of one shard's state. */
const ShardRoot = new ContainerType({ shard: Uint64, stateRoot: Bytes32Type }, { typeName: 'ShardRoot', jsonCase: 'eth2' });
export type ShardRoot = ValueOf<typeof ShardRoot>;

/** A start record, how far its instance is, and, once the instance is closed, what follows it. */
export const RecordEntry = new ContainerType(
  {
    record: StartRecord,
    progress: Progress,
    /** Closed: no header of the instance is accepted any more. `progress` is where it ended. */
    closed: new BooleanType(),
    /** Of a closed one whose shard is split: the roots of the shards that follow, left to right. */
    childRoots: new ListCompositeType(ShardRoot, SHARDS_MAX),
  },
  { typeName: 'RecordEntry', jsonCase: 'eth2' },
);
export type RecordEntry = ValueOf<typeof RecordEntry>;

/** An instance that evidence may be of, by its id. */
const KnownInstance = new ContainerType({ instanceId: Bytes32Type, record: StartRecord }, { typeName: 'KnownInstance', jsonCase: 'eth2' });
export type KnownInstance = ValueOf<typeof KnownInstance>;

/** A shard id whose messages are under way, or may be (sources.ts). */
const Source = new ContainerType(
  {
    shard: Uint64,
    /** Readers' cursors start above this height. */
    startHeight: Uint64,
    /** Executions up to this height are anchored: no cursor steps over a greater one. */
    anchoredHeight: Uint64,
    /** The greatest height with a bundle; `startHeight` while there is none. */
    lastBundleHeight: Uint64,
  },
  { typeName: 'Source', jsonCase: 'eth2' },
);
export type Source = ValueOf<typeof Source>;

/** A validator that has been punished for what it signed in an instance. */
const Conviction = new ContainerType(
  { epoch: Uint64, instanceId: Bytes32Type, validator: Uint32 },
  { typeName: 'Conviction', jsonCase: 'eth2' },
);
export type Conviction = ValueOf<typeof Conviction>;

const PendingDeposit = new ContainerType(
  {
    blsPublicKey: Bytes48,
    vrfPublicKey: Bytes32Type,
    peerKey: Bytes32Type,
    rewardAddress: Bytes20,
    amountGwei: Uint64Bigint,
    proofOfPossession: Bytes96,
  },
  { typeName: 'PendingDeposit', jsonCase: 'eth2' },
);

const PendingExit = new ContainerType({ validator: Uint32, epoch: Uint64 }, { typeName: 'PendingExit', jsonCase: 'eth2' });

/** A version of the protocol and from when on it is in force. */
const Fork = new ContainerType({ version: Uint8, epoch: Uint64 }, { typeName: 'Fork', jsonCase: 'eth2' });

/** See the file's head. */
export const BeaconState = new ContainerType(
  {
    /** Of the block after which this is the state. */
    height: Uint64,
    timestampMs: Uint64,
    validators: new ListCompositeType(Validator, VALIDATORS_MAX),
    /** Rewards and fees that a validator has earned and not yet been paid, by validator index. */
    rewardsWei: new ListBasicType(Uint256, VALIDATORS_MAX),
    burnedFeesWei: Uint256,
    /** In ascending order of epochs, as the next. */
    seeds: new ListCompositeType(EpochSeed, LAYOUTS_MAX),
    layouts: new ListCompositeType(EpochLayout, LAYOUTS_MAX),
    /** The world root at the end of each epoch, from epoch 0 on. */
    worldRoots: new ListCompositeType(Bytes32Type, EPOCHS_MAX),
    /** From left to right: their shards are the whole tree, each part once. */
    records: new ListCompositeType(RecordEntry, SHARDS_MAX),
    instances: new ListCompositeType(KnownInstance, INSTANCES_MAX),
    /** In ascending order of shard ids. */
    sources: new ListCompositeType(Source, SOURCES_MAX),
    convictions: new ListCompositeType(Conviction, CONVICTIONS_MAX),
    deposits: new ListCompositeType(PendingDeposit, PENDING_MAX),
    exits: new ListCompositeType(PendingExit, PENDING_MAX),
    forks: new ListCompositeType(Fork, FORKS_MAX),
    /** The root of each closed epoch's file of blocks. */
    eraRoots: new ListCompositeType(Bytes32Type, EPOCHS_MAX),
  },
  { typeName: 'BeaconState', jsonCase: 'eth2' },
);
export type BeaconState = Readonly<ValueOf<typeof BeaconState>>;

/** The layout of an epoch; undefined for one that is not decided yet, or no longer kept. */
export function layoutOfEpoch({ layouts }: Pick<BeaconState, 'layouts'>, epoch: Epoch): EpochLayout | undefined {
  return layouts.find((layout) => layout.epoch === epoch);
}

/** The shard ids of a layout, left to right. */
export function shardsOf({ shards }: EpochLayout): readonly number[] {
  return shards.map(({ shard }) => shard);
}
