// Values that the tests of consensus share: an execution that did nothing, parameters, instances, headers.

import type { BlockRole } from '../../../src/core/consensus/block-role.ts';
import { pointOf } from '../../../src/core/consensus/block-tree.ts';
import { certificateOf, timeoutCertificateOf } from '../../../src/core/consensus/certificates.ts';
import type { Effect } from '../../../src/core/consensus/effects.ts';
import { step } from '../../../src/core/consensus/engine.ts';
import type { ConsensusEvent, Payload } from '../../../src/core/consensus/events.ts';
import { leaderOf } from '../../../src/core/consensus/leader.ts';
import {
  type ConsensusParameters,
  type ConsensusState,
  initialState,
  type StartingPoint,
  type Transition,
} from '../../../src/core/consensus/state.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { bytesToHex, uint64ToBytes, ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import { type BlockHeader, blockHashOf, type ExecutionCommitment } from '../../../src/core/protocol/block.ts';
import type { BlockPoint, QuorumCertificate, TimeoutCertificate } from '../../../src/core/protocol/certificate.ts';
import { type Committee, type Instance, makeInstance } from '../../../src/core/protocol/committee.ts';
import { LOAD_DESCENDANTS } from '../../../src/core/protocol/limits.ts';
import type { Timeout } from '../../../src/core/protocol/vote.ts';

const NO_LOAD = { gas: 0, backlog: 0, stateLeaves: 0 };

/** What a block without items comes to. */
export const EMPTY_EXECUTION: ExecutionCommitment = {
  stateRoot: ZERO_32,
  receiptsRoot: ZERO_32,
  outboxRoot: ZERO_32,
  gasUsed: 0,
  logsBloom: new Uint8Array(256),
  cursors: [],
  load: { whole: NO_LOAD, descendants: Array.from({ length: LOAD_DESCENDANTS }, () => NO_LOAD) },
  proposerFeesWei: 0n,
  burnedFeesWei: 0n,
};

/** Timers of a devnet in small. */
export const PARAMETERS: ConsensusParameters = {
  roundTimeoutMs: 500,
  roundTimeoutMsMax: 2_000,
  roundTimeoutGrowthPercent: 150,
  resendIntervalMs: 300,
  idleIntervalMs: 0,
  leaderWindow: 8,
};

/** An instance that starts at a height. */
export function instanceOf(committee: Committee, epoch: number, height: number): Instance {
  const startRecord = {
    shard: 1,
    epoch,
    beaconHeight: 0,
    closingHeaders: [],
    stateRoot: ZERO_32,
    height,
    timestampMs: 0,
    baseFeePerGasWei: 1n,
    seed: sha256(uint64ToBytes(epoch)),
  };
  return makeInstance(sha256(Uint8Array.of(7)), startRecord, committee);
}

/** A committee with keys that mean nothing: rules do not look at keys. */
export function keylessCommittee(seats: readonly number[]): Committee {
  const members = seats.map((memberSeats, index) => ({
    validator: index * 2,
    seats: memberSeats,
    blsPublicKey: new Uint8Array(48).fill(index + 1),
    vrfPublicKey: new Uint8Array(32).fill(index + 1),
  }));
  return { members, totalSeats: seats.reduce((sum, memberSeats) => sum + memberSeats, 0) };
}

/** Four equal validators, of indices 0, 2, 4 and 6. */
export const FOUR: Instance = instanceOf(keylessCommittee([1, 1, 1, 1]), 1, 0);

/** A QC or CC by the first three of four; its signature means nothing. */
export function certificateFor(point: BlockPoint, instance: Instance = FOUR): QuorumCertificate {
  return certificateOf(instance.committee, point, [0, 1, 2], new Uint8Array(96).fill(1));
}

/** A timeout of a validator. */
export function timeoutBy(validator: number, round: number, highest?: QuorumCertificate): Timeout {
  return {
    instanceId: FOUR.instanceId,
    round,
    highestQuorumCertificate: highest === undefined ? [] : [highest],
    validator,
    signature: new Uint8Array(96).fill(validator + 1),
  };
}

/** A TC of the first three of four, who report these QCs. */
export function timeoutCertificateFor(round: number, ...highest: readonly (QuorumCertificate | undefined)[]): TimeoutCertificate {
  const timeouts = [0, 2, 4].map((validator, index) => timeoutBy(validator, round, highest[index]));
  return timeoutCertificateOf(FOUR.committee, timeouts, new Uint8Array(96).fill(2));
}

/** The payload that a shell would give for a request. */
export function payloadFor(seed: number): Payload {
  return {
    vrfProof: new Uint8Array(80).fill(seed),
    vrfOutput: new Uint8Array(64).fill(seed),
    timestampMs: 1_000 + seed,
    beaconReference: { height: 0, hash: ZERO_32 },
    bodyRoot: sha256(uint64ToBytes(seed)),
    gasBought: 0,
    baseFeePerGasWei: 1n,
    parentExecution: EMPTY_EXECUTION,
    postStateRoot: ZERO_32,
  };
}

/** A header and its hash: on the start record, or on the block of the justify. The right leader proposes, unless told otherwise. */
export function blockOn(
  state: ConsensusState,
  round: number,
  justify?: QuorumCertificate,
  timeoutCertificate?: TimeoutCertificate,
  changes: Partial<BlockHeader> = {},
): { readonly hash: Uint8Array; readonly header: BlockHeader } {
  const { instance } = state;
  const { vrfOutput: _unused, ...content } = payloadFor(round);
  const parentHash = justify?.point.blockHash ?? instance.startRecordRoot;
  const parent = pointOf(state, bytesToHex(parentHash));
  const header: BlockHeader = {
    ...content,
    instanceId: instance.instanceId,
    height: (justify?.point.height ?? instance.startRecord.height) + 1,
    round,
    parentHash,
    justify: justify === undefined ? [] : [justify],
    timeoutCertificate: timeoutCertificate === undefined ? [] : [timeoutCertificate],
    proposer: parent === undefined ? 0 : leaderOf(instance, parent, round),
    ...changes,
  };
  return { hash: blockHashOf(header), header };
}

/** The point of a block, as votes name it. */
export function pointOfBlock({ hash, header }: { readonly hash: Uint8Array; readonly header: BlockHeader }): BlockPoint {
  return { height: header.height, round: header.round, blockHash: hash };
}

/** An engine of the four that was started and has said nothing yet. */
export function startedEngine(self: number | undefined = 0, changes: Partial<StartingPoint> = {}): ConsensusState {
  return step(unstartedEngine(self, changes), { kind: 'started' }).state;
}

/** An engine of the four before its first event. */
export function unstartedEngine(self: number | undefined = 0, changes: Partial<StartingPoint> = {}): ConsensusState {
  return initialState({
    instance: FOUR,
    parameters: PARAMETERS,
    self,
    record: undefined,
    committed: undefined,
    closed: undefined,
    storedBlocks: [],
    ...changes,
  });
}

/** Effects of one kind. */
export function effectsOf<K extends Effect['kind']>({ effects }: Transition, kind: K): Extract<Effect, { kind: K }>[] {
  return effects.filter((effect): effect is Extract<Effect, { kind: K }> => effect.kind === kind);
}

/** The state after the events, and all that the last one brought about. */
export function after(state: ConsensusState, ...events: readonly ConsensusEvent[]): Transition {
  let transition: Transition = { state, effects: [] };
  for (const event of events) transition = step(transition.state, event);
  return transition;
}

/** A proposal that arrived and was found valid. */
export function proposedAndValid(block: { readonly hash: Uint8Array; readonly header: BlockHeader }): readonly ConsensusEvent[] {
  return [{ kind: 'proposal-received', ...block }, validated(block)];
}

/** The shell's answer that a block is valid. */
export function validated(
  { hash, header }: { readonly hash: Uint8Array; readonly header: BlockHeader },
  role: BlockRole = 'ordinary',
): ConsensusEvent {
  return { kind: 'block-validated', hash, vrfOutput: new Uint8Array(64).fill(header.round), role, isHeldBack: false };
}

/** A QC as an event. */
export function certified(block: { readonly hash: Uint8Array; readonly header: BlockHeader }): ConsensusEvent {
  return { kind: 'quorum-certificate-received', certificate: certificateFor(pointOfBlock(block)) };
}
