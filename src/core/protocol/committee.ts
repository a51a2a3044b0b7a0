// Committees and instances (protocol, sections 0, 3 and 6): who runs a chain in one epoch, and from which start record.
import { ContainerType, ListCompositeType, type ValueOf } from '@chainsafe/ssz';
import type { Bytes32, ChainId, Epoch, Seats, ValidatorIndex } from '../primitives/ids.ts';
import { Bytes32Type, Uint64, Uint256 } from './ssz.ts';

/** One validator in a committee. Members stand in order of validator index; a bitmap's bit i is the member at place i. */
export interface CommitteeMember {
  readonly validator: ValidatorIndex;
  readonly seats: Seats;
  /** 48 bytes, BLS12-381 G1. */
  readonly blsPublicKey: Uint8Array;
  /** 32 bytes, edwards25519. */
  readonly vrfPublicKey: Uint8Array;
}

/** Who runs one chain in one epoch. */
export interface Committee {
  readonly members: readonly CommitteeMember[];
  readonly totalSeats: Seats;
}

/** True for more than two thirds of all seats, in integers. */
export function isQuorum(seats: Seats, committee: Committee): boolean {
  return seats * 3 > committee.totalSeats * 2;
}

/** The f + 1 of protocol section 3: more seats than the faulty can have, f being the most that is below a third. */
export function includesHonest(seats: Seats, committee: Committee): boolean {
  return seats * 3 >= committee.totalSeats;
}

/** From where an instance starts: made by the beacon, here from genesis. */
export const StartRecord = new ContainerType(
  {
    shard: Uint64,
    epoch: Uint64,
    beaconHeight: Uint64,
    /** Hashes of the headers that closed the records this one replaces. */
    closingHeaders: new ListCompositeType(Bytes32Type, 2),
    stateRoot: Bytes32Type,
    height: Uint64,
    timestampMs: Uint64,
    baseFeePerGasWei: Uint256,
    seed: Bytes32Type,
  },
  { typeName: 'StartRecord', jsonCase: 'eth2' },
);
export type StartRecord = ValueOf<typeof StartRecord>;

const InstanceIdentity = new ContainerType(
  { genesisRoot: Bytes32Type, chain: Uint64, epoch: Uint64, start: Bytes32Type },
  { typeName: 'InstanceIdentity', jsonCase: 'eth2' },
);

/** One run of consensus: a chain, under one committee, in one epoch, from one start record. A value: the engine takes it as such. */
export interface Instance {
  readonly instanceId: Bytes32;
  readonly genesisRoot: Bytes32;
  readonly chain: ChainId;
  readonly epoch: Epoch;
  readonly startRecord: StartRecord;
  readonly startRecordRoot: Bytes32;
  readonly committee: Committee;
}

/** Makes the instance of a start record, with the id that everything signed in it carries. */
export function makeInstance(genesisRoot: Bytes32, startRecord: StartRecord, committee: Committee): Instance {
  const startRecordRoot = StartRecord.hashTreeRoot(startRecord);
  const { shard: chain, epoch } = startRecord;
  const instanceId = InstanceIdentity.hashTreeRoot({ genesisRoot, chain, epoch, start: startRecordRoot });
  return { instanceId, genesisRoot, chain, epoch, startRecord, startRecordRoot, committee };
}
