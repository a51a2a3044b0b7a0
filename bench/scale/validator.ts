// What the scale study keeps of a validator, and the names of claims that it has verified.
import { highestRoundOf } from '../../src/core/consensus/record.ts';
import type { VoteKind } from '../../src/core/consensus/signature-sets.ts';
import { type ConsensusState, initialState } from '../../src/core/consensus/state.ts';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import type { QuorumCertificate, TimeoutCertificate } from '../../src/core/protocol/certificate.ts';
import type { Instance } from '../../src/core/protocol/committee.ts';
import type { CertificateBundle, Timeout } from '../../src/core/protocol/vote.ts';
import { MAINNET } from './committee.ts';

/** Votes of one kind and round. */
export interface Tally {
  /** 1 at the place of each voter. */
  readonly has: Uint8Array;
  count: number;
  isSettled: boolean;
}

/** Votes that the head of a group adds up. */
export interface Partial {
  readonly voters: number[];
  isSent: boolean;
}

/** One validator of the model: the engine's state, and where its core and its link stand. */
export interface Validator {
  readonly index: number;
  readonly isSilent: boolean;
  state: ConsensusState;
  busyUntilMs: number;
  linkFreeAtMs: number;
  cpuMs: number;
  sentBytes: number;
  receivedBytes: number;
  readonly tallies: Map<string, Tally>;
  readonly partials: Map<string, Partial>;
  /** Claims that need no verification any more. */
  readonly known: Set<string>;
  readonly timers: Map<string, number>;
  readonly answeredAtMs: Map<string, number>;
  waitingTimeouts: Timeout[];
  isVerifyingTimeouts: boolean;
  readonly commits: Map<number, number>;
}

/** A validator before its first event. */
export function newValidator(instance: Instance, index: number, isSilent: boolean): Validator {
  const state = initialState({
    instance,
    parameters: MAINNET,
    self: index,
    record: undefined,
    committed: undefined,
    closed: undefined,
    storedBlocks: [],
  });
  return {
    index,
    isSilent,
    state,
    busyUntilMs: 0,
    linkFreeAtMs: 0,
    cpuMs: 0,
    sentBytes: 0,
    receivedBytes: 0,
    tallies: new Map(),
    partials: new Map(),
    known: new Set(),
    timers: new Map(),
    answeredAtMs: new Map(),
    waitingTimeouts: [],
    isVerifyingTimeouts: false,
    commits: new Map(),
  };
}

/** Whether votes of the round are of no use any more. */
export function isSettled({ record, committed }: ConsensusState, kind: VoteKind, round: number): boolean {
  return round <= (kind === 'vote' ? highestRoundOf(record) : committed.round);
}

/** Whether a claim is seen for the first time; from now on it is known. */
export function isNew(known: Set<string>, claim: string): boolean {
  return known.size < known.add(claim).size;
}

/** What a certificate claims: with other signers it is another claim. */
export function claimOf(kind: VoteKind, { point, signers }: QuorumCertificate): string {
  return `${kind} ${point.round} ${bytesToHex(signers.uint8Array)}`;
}

/** What a TC claims. */
export function timeoutClaim({ round, signers }: TimeoutCertificate): string {
  return `timeouts ${round} ${bytesToHex(signers.uint8Array)}`;
}

/** The round in the key of a tally. */
export function roundOfKey(key: string): number {
  return Number(key.slice(key.indexOf(' ') + 1));
}

/** A bundle of these certificates. */
export function bundleOf(
  { instanceId }: Instance,
  {
    qc,
    cc,
    ofCommitted = qc,
    tc,
  }: {
    readonly qc: QuorumCertificate | undefined;
    readonly cc?: QuorumCertificate | undefined;
    readonly ofCommitted?: QuorumCertificate | undefined;
    readonly tc?: TimeoutCertificate | undefined;
  },
): CertificateBundle {
  return {
    instanceId,
    highestQuorumCertificate: qc === undefined ? [] : [qc],
    commitCertificate: cc === undefined ? [] : [cc],
    commitQuorumCertificate: cc === undefined || ofCommitted === undefined ? [] : [ofCommitted],
    timeoutCertificate: tc === undefined ? [] : [tc],
    nonce: 0,
  };
}
