// What one instance of consensus remembers between two events, and where it starts from. Values only: every rule returns a new
// state. What is kept is bounded: blocks above the newest committed one, and one timeout of each member.

import { bytesToHex } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, Hex, Round, ValidatorIndex } from '../primitives/ids.ts';
import type { BlockHeader } from '../protocol/block.ts';
import type { CommitCertificate, QuorumCertificate } from '../protocol/certificate.ts';
import type { Instance } from '../protocol/committee.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';
import type { Timeout } from '../protocol/vote.ts';
import type { BlockRole } from './block-role.ts';
import { memberIndexOf } from './certificates.ts';
import type { ClosedInstance } from './closed-instance.ts';
import type { CommitProof, Effect, SetTimer } from './effects.ts';
import { type ChainPoint, pointAfter } from './leader.ts';
import { admittedRoundOf, emptyRecord, highestRoundOf, type SigningRecord } from './record.ts';

/** The two timers of an engine. */
export type TimerKind = SetTimer['timer'];

/** The parameters of a network that consensus depends on. */
export type ConsensusParameters = Pick<
  NetworkParameters,
  'roundTimeoutMs' | 'roundTimeoutMsMax' | 'roundTimeoutGrowthPercent' | 'resendIntervalMs' | 'idleIntervalMs' | 'leaderWindow'
>;

/** A block above the newest committed one. */
export interface TreeBlock {
  readonly hash: Bytes32;
  readonly hashHex: Hex;
  readonly parentHex: Hex;
  readonly header: BlockHeader;
  /** Fetched under a certificate, not proposed to us: never voted for. */
  readonly isCertified: boolean;
  /** `waiting` for its parent to be valid; `validating` by the shell. */
  readonly status: 'waiting' | 'validating' | 'valid' | 'invalid';
  /** Of a valid block. */
  readonly point: ChainPoint | undefined;
  /** As the shell found it; of a block that is not valid (yet) `ordinary`. */
  readonly role: BlockRole;
}

/** A CC whose block is not committed yet: its QC, the block or an ancestor is still missing. */
export interface PendingCommit {
  readonly commitCertificate: CommitCertificate;
  readonly quorumCertificate: QuorumCertificate | undefined;
}

/** See the file's head. */
export interface ConsensusState {
  readonly instance: Instance;
  readonly parameters: ConsensusParameters;
  /** Who signs here; undefined for an observer. */
  readonly self: ValidatorIndex | undefined;
  readonly round: Round;
  /** Rounds that ended in a TC, less those that ended in a QC: the exponent of the round timer. */
  readonly consecutiveFailures: number;
  readonly record: SigningRecord;
  /** The record that is on disk once the effects so far are carried out. */
  readonly durableRecord: SigningRecord | undefined;
  readonly committed: ChainPoint;
  readonly commitProof: CommitProof | undefined;
  /** The instance has ended with the committed block. */
  readonly closed: ClosedInstance | undefined;
  /** The newest CC that is not carried out yet. */
  readonly pendingCommit: PendingCommit | undefined;
  /** The lowest below it, whose blocks may all be here while the newest one's are still fetched: catching up goes by it, step by step. */
  readonly nearestCommit: CommitProof | undefined;
  readonly blocks: ReadonlyMap<Hex, TreeBlock>;
  /** The newest timeout of each validator, of rounds not below the own. */
  readonly timeouts: ReadonlyMap<ValidatorIndex, Timeout>;
  /** The newest round whose timeouts were given out for aggregation. */
  readonly aggregatedRound: Round;
  /** The round for which the resend timer runs. */
  readonly resendingRound: Round;
  /** What the payload last asked for builds on. */
  readonly requestedPayload: { readonly round: Round; readonly parentHex: Hex } | undefined;
}

/** What a rule makes of a state: the next state, and what the shell has to do. */
export interface Transition {
  readonly state: ConsensusState;
  readonly effects: readonly Effect[];
}

/** A step of one event: takes the state as the rules before left it. */
export type Rule = (state: ConsensusState) => Transition;

/** Where an engine starts or resumes. */
export interface StartingPoint {
  readonly instance: Instance;
  readonly parameters: ConsensusParameters;
  /** Who signs here; undefined, or not a member of the committee, for an observer. */
  readonly self: ValidatorIndex | undefined;
  /** From disk; undefined if nothing was ever signed in this instance. */
  readonly record: SigningRecord | undefined;
  /** The newest committed block in storage (the `point` of its commit effect) and its proof; undefined at the instance's start. */
  readonly committed: { readonly point: ChainPoint; readonly proof: CommitProof | undefined } | undefined;
  /** Of a committed closing block, from its commit effect: the instance has ended, and the node only answers. */
  readonly closed: ClosedInstance | undefined;
  /** Blocks above it that were stored before they were voted for, parents before children; the shell holds their bodies. */
  readonly storedBlocks: readonly StoredBlock[];
}

/** A block that was valid when it was stored, with its VRF output. */
export interface StoredBlock {
  readonly hash: Bytes32;
  readonly header: BlockHeader;
  readonly vrfOutput: Uint8Array;
  readonly role: BlockRole;
}

/** The state before the first event, which is `started`. */
export function initialState(from: StartingPoint): ConsensusState {
  const { instance, parameters } = from;
  const isMember = from.self !== undefined && memberIndexOf(instance.committee, from.self) !== undefined;
  const record = recordToResume(from);
  const committed = from.committed?.point ?? startPoint(instance);
  invariant(from.closed === undefined || from.committed !== undefined, 'an instance ends with a committed block');
  return {
    instance,
    parameters,
    self: isMember ? from.self : undefined,
    round: admittedRoundOf(record),
    consecutiveFailures: 0,
    record,
    durableRecord: record === from.record ? record : undefined,
    committed,
    commitProof: from.closed?.proof ?? from.committed?.proof,
    closed: from.closed,
    pendingCommit: undefined,
    nearestCommit: undefined,
    blocks: from.closed === undefined ? storedTree(committed, from.storedBlocks, parameters.leaderWindow) : new Map(),
    timeouts: new Map(),
    aggregatedRound: 0,
    resendingRound: 0,
    requestedPayload: undefined,
  };
}

/** The start record as something to build on: its root is the parent hash of the instance's first block. */
export function startPoint(instance: Instance): ChainPoint {
  const { height, seed } = instance.startRecord;
  return { hash: instance.startRecordRoot, height, round: 0, seed, anchors: [] };
}

/**
 * Applies rules one after the other, each to the state that the one before left, and joins their effects. With the end of the instance there
 * is nothing left to do for those that come after.
 */
export function sequence(state: ConsensusState, ...rules: readonly Rule[]): Transition {
  let current = state;
  const effects: Effect[] = [];
  for (const rule of rules) {
    if (current.closed !== undefined) break;
    const transition = rule(current);
    current = transition.state;
    effects.push(...transition.effects);
  }
  return { state: current, effects };
}

/** The transition that changes nothing. */
export function unchanged(state: ConsensusState): Transition {
  return { state, effects: [] };
}

// A node that followed by sync may have committed above what it last signed: then it resumes from there.
function recordToResume(from: StartingPoint): SigningRecord {
  const record = from.record ?? emptyRecord(from.instance.instanceId);
  invariant(
    bytesToHex(record.instanceId) === bytesToHex(from.instance.instanceId),
    'a signing record is only ever resumed in its own instance',
  );
  const committedCertificate = from.committed?.proof?.quorumCertificate;
  if (committedCertificate === undefined || committedCertificate.point.round <= highestRoundOf(record)) return record;
  const timeoutCertificate = record.timeoutCertificate.filter(({ round }) => round > committedCertificate.point.round);
  return { ...record, highestQuorumCertificate: [committedCertificate], timeoutCertificate };
}

// A stored block whose parent is not (the node was never asked to vote for that one) waits for it like any other.
function storedTree(committed: ChainPoint, stored: readonly StoredBlock[], leaderWindow: number): ReadonlyMap<Hex, TreeBlock> {
  const points = new Map<Hex, ChainPoint>([[bytesToHex(committed.hash), committed]]);
  const blocks = new Map<Hex, TreeBlock>();
  for (const { hash, header, vrfOutput, role } of stored) {
    const [hashHex, parentHex] = [bytesToHex(hash), bytesToHex(header.parentHash)];
    const { height, round } = header;
    const parent = points.get(parentHex);
    const point = parent === undefined ? undefined : pointAfter(parent, { hash, height, round }, vrfOutput, leaderWindow);
    if (point !== undefined) points.set(hashHex, point);
    const status = point === undefined ? 'waiting' : 'valid';
    blocks.set(hashHex, { hash, hashHex, parentHex, header, isCertified: false, status, point, role });
  }
  return blocks;
}
