// What the engine asks the shell to do. Effects are carried out in the order of the list; an effect after `persist` or
// `store-block` only when that is on disk. Messages that the node signs are also its own: the runner gives its votes to its vote
// pool and its timeouts back to the engine, as if they had come from a peer.
import type { Bytes32, Height, Round, ValidatorIndex } from '../primitives/ids.ts';
import type { BlockHeader } from '../protocol/block.ts';
import type { BlockPoint, CommitCertificate, QuorumCertificate, TimeoutCertificate } from '../protocol/certificate.ts';
import type { Timeout } from '../protocol/vote.ts';
import type { ClosedInstance } from './closed-instance.ts';
import type { ChainPoint } from './leader.ts';
import type { SigningRecord } from './record.ts';

/** Make the signing record durable (fdatasync) before any later effect. */
export interface Persist {
  readonly kind: 'persist';
  readonly record: SigningRecord;
}

/**
 * Make the block, header and body, durable before any later effect: it is about to be voted for. Otherwise a crash of all nodes
 * could leave a QC for a block that nobody has, and the chain would stall for ever.
 */
export interface StoreBlock {
  readonly kind: 'store-block';
  readonly hash: Bytes32;
  readonly header: BlockHeader;
}

/** Sign the header's root as a proposal and broadcast it with its body. */
export interface SignAndSendProposal {
  readonly kind: 'sign-and-send-proposal';
  readonly hash: Bytes32;
  readonly header: BlockHeader;
}

/** Sign the point as a vote, broadcast it, and give it to the own vote pool. */
export interface SignAndSendVote {
  readonly kind: 'sign-and-send-vote';
  readonly point: BlockPoint;
}

/** Sign the point as a commit vote, broadcast it, and give it to the own vote pool. */
export interface SignAndSendCommitVote {
  readonly kind: 'sign-and-send-commit-vote';
  readonly point: BlockPoint;
}

/** Sign (round, round of the QC) as a timeout, broadcast it with the QC in full, and give it back as `timeout-received`. */
export interface SignAndSendTimeout {
  readonly kind: 'sign-and-send-timeout';
  readonly round: Round;
  readonly highestQuorumCertificate: QuorumCertificate | undefined;
}

/** Add up the signatures of these verified timeouts, and give `timeoutCertificateOf` of them back as `timeout-certificate-received`. */
export interface AggregateTimeouts {
  readonly kind: 'aggregate-timeouts';
  readonly round: Round;
  /** In the order of the committee's members. */
  readonly timeouts: readonly Timeout[];
}

/** Send the newest certificates: to everyone while a round is stuck, or to one peer that is behind (rate-limited by the runner). */
export interface SendCertificates {
  readonly kind: 'send-certificates';
  /** What the event named as `from`; undefined for everyone. */
  readonly to: string | undefined;
  readonly certificates: NewestCertificates;
}

/** The newest certificates that a node has. */
export interface NewestCertificates {
  readonly highestQuorumCertificate: QuorumCertificate | undefined;
  readonly commitProof: CommitProof | undefined;
  readonly timeoutCertificate: TimeoutCertificate | undefined;
}

/** A CC is valid only together with its block's QC. */
export interface CommitProof {
  readonly quorumCertificate: QuorumCertificate;
  readonly commitCertificate: CommitCertificate;
}

/** Start the timer; it replaces the one of the same kind. */
export interface SetTimer {
  readonly kind: 'set-timer';
  /** `round` ends a round that brings no QC; `resend` says timeout and certificates again while the round is stuck. */
  readonly timer: 'round' | 'resend';
  readonly round: Round;
  readonly delayMs: number;
}

/** The node leads the round: make a block on the parent and answer `payload-ready`, at once or, on an idle chain, after the idle wait. */
export interface RequestPayload {
  readonly kind: 'request-payload';
  readonly parentHash: Bytes32;
  readonly height: Height;
  readonly round: Round;
  /** The parent is a closing block or a carrier: make no block but a carrier, with nothing in it. */
  readonly isCarrier: boolean;
  /** What to prove with the VRF key. */
  readonly vrfAlpha: Uint8Array;
}

/**
 * Check the block and answer `block-validated`. Its parent was validated before. Where its height is the parent's it is a carrier, on a
 * closing block or another carrier: it has the parent's reference and execution commitment, and no body.
 */
export interface ValidateBlock {
  readonly kind: 'validate-block';
  readonly hash: Bytes32;
  readonly header: BlockHeader;
  /** The input of the header's VRF proof. */
  readonly vrfAlpha: Uint8Array;
  /** The leader drawn for the round, whose VRF key made the proof. */
  readonly proposer: ValidatorIndex;
  /** Fetched under a certificate: validity counts, voting rules (clock, what this node has seen) do not. */
  readonly isCertified: boolean;
}

/** A certificate names a block that is missing here: get it and answer `block-fetched`. May be asked again. */
export interface RequestBlock {
  readonly kind: 'request-block';
  readonly hash: Bytes32;
  readonly height: Height;
}

/** The block is final in the instance. Comes once for each block, in the order of heights; never of a carrier. */
export interface Commit {
  readonly kind: 'commit';
  readonly hash: Bytes32;
  readonly header: BlockHeader;
  readonly quorumCertificate: QuorumCertificate;
  /** Of this very block; undefined where the CC of a descendant covers it. */
  readonly commitCertificate: CommitCertificate | undefined;
  /** What a restarted engine needs to go on from here: to be stored with the block. */
  readonly point: ChainPoint;
  /** Of a closing block: to be stored with it, in one, since a node that starts again without it would go on beyond the end. */
  readonly closed: ClosedInstance | undefined;
}

/**
 * The instance has ended with the block just committed: what its crosslink is made of. Comes once in each life; in a later one as answer to
 * `started`. Whoever asks for one of the carriers is behind, and gets it. Timers and payloads under way are of no use any more.
 */
export interface InstanceClosed extends ClosedInstance {
  readonly kind: 'instance-closed';
  readonly closing: ChainPoint;
}

/** The tree does not hold these blocks (any more): forget their bodies and results. One that a certificate names later is fetched. */
export interface DiscardBlocks {
  readonly kind: 'discard-blocks';
  readonly hashes: readonly Bytes32[];
}

/** The node is in a new round: for logs and metrics, and to prune the vote pool. */
export interface RoundEntered {
  readonly kind: 'round-entered';
  readonly round: Round;
  readonly by: 'quorum-certificate' | 'timeout-certificate';
}

/** What should not happen if fewer than a third are faulty, or is an offence of one validator. */
export type ReportKind = 'conflicting-proposals' | 'not-the-leader' | 'wrong-role' | 'conflicting-commit' | 'certified-block-invalid';

/** For metrics and, later, evidence. */
export interface Report {
  readonly kind: 'report';
  readonly report: ReportKind;
  readonly round: Round;
  readonly hash: Bytes32;
  readonly validator: ValidatorIndex | undefined;
}

/** See the file's head. */
export type Effect =
  | Persist
  | StoreBlock
  | SignAndSendProposal
  | SignAndSendVote
  | SignAndSendCommitVote
  | SignAndSendTimeout
  | AggregateTimeouts
  | SendCertificates
  | SetTimer
  | RequestPayload
  | ValidateBlock
  | RequestBlock
  | Commit
  | InstanceClosed
  | DiscardBlocks
  | RoundEntered
  | Report;
