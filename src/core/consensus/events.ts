// What happens to the engine. Everything that carries a signature was verified before (signature-sets.ts says what there is to
// verify); `from` is whatever the runner calls the peer that sent it, and comes back in answers.
import type { Bytes32, Round } from '../primitives/ids.ts';
import type { BlockHeader } from '../protocol/block.ts';
import type { CommitCertificate, QuorumCertificate, TimeoutCertificate } from '../protocol/certificate.ts';
import type { CertificateBundle, Timeout } from '../protocol/vote.ts';
import type { BlockRole } from './block-role.ts';
import type { TimerKind } from './state.ts';

/** The first event of an engine, after `initialState`. */
export interface Started {
  readonly kind: 'started';
}

/** A leader's block: structure, signature, justify and TC were checked; leader, VRF and content were not. */
export interface ProposalReceived {
  readonly kind: 'proposal-received';
  readonly hash: Bytes32;
  readonly header: BlockHeader;
}

/**
 * A block that a verified certificate covers, directly or by the hashes of descendants: the answer to `request-block`, or one of
 * a range that catch-up fetched (ascending, then its certificates as events of their own).
 */
export interface BlockFetched {
  readonly kind: 'block-fetched';
  readonly hash: Bytes32;
  readonly header: BlockHeader;
}

/** The answer to `validate-block`, at once or later; never, where a voting rule forbids to vote. */
export interface BlockValidated {
  readonly kind: 'block-validated';
  readonly hash: Bytes32;
  /** The verified VRF output of a valid block; undefined for an invalid block. */
  readonly vrfOutput: Uint8Array | undefined;
  /** Of no meaning for an invalid block. */
  readonly role: BlockRole;
  /** Valid or not, a voting rule of the chain forbids this node to vote for it: what it knows and holds says that the leader is lazy, or late. */
  readonly isHeldBack: boolean;
}

/** The other answer to `validate-block`: the shell holds no such block (any more). */
export interface BlockNotHeld {
  readonly kind: 'block-not-held';
  readonly hash: Bytes32;
}

/** A QC, formed by the own vote pool or received. */
export interface QuorumCertificateReceived {
  readonly kind: 'quorum-certificate-received';
  readonly certificate: QuorumCertificate;
}

/** A CC, formed by the own vote pool (then without QC: the engine looks for it) or received with its QC. */
export interface CommitCertificateReceived {
  readonly kind: 'commit-certificate-received';
  readonly certificate: CommitCertificate;
  readonly quorumCertificate: QuorumCertificate | undefined;
}

/** A TC, formed on `aggregate-timeouts` or received. */
export interface TimeoutCertificateReceived {
  readonly kind: 'timeout-certificate-received';
  readonly certificate: TimeoutCertificate;
}

/** A timeout with the QC it claims; own ones too. */
export interface TimeoutReceived {
  readonly kind: 'timeout-received';
  readonly timeout: Timeout;
  readonly from: string;
}

/** A vote or commit vote that is too old for the vote pool: its sender is behind and gets the newest certificates. */
export interface OldMessageSeen {
  readonly kind: 'old-message-seen';
  readonly from: string;
}

/** A timer ran out; those of rounds already left are ignored. */
export interface TimerFired {
  readonly kind: 'timer-fired';
  readonly timer: TimerKind;
  readonly round: Round;
}

/** What the leader's block holds beside consensus: the answer to `request-payload`. */
export interface PayloadReady {
  readonly kind: 'payload-ready';
  readonly parentHash: Bytes32;
  readonly round: Round;
  /** `carrier` exactly where one was asked for. */
  readonly role: BlockRole;
  readonly payload: Payload;
}

/** The fields of a header that consensus does not fill in, and the output of its VRF proof. */
export interface Payload
  extends Pick<
    BlockHeader,
    'vrfProof' | 'timestampMs' | 'beaconReference' | 'bodyRoot' | 'gasBought' | 'baseFeePerGasWei' | 'parentExecution' | 'postStateRoot'
  > {
  readonly vrfOutput: Uint8Array;
}

/** See the file's head. */
export type ConsensusEvent =
  | Started
  | ProposalReceived
  | BlockFetched
  | BlockValidated
  | BlockNotHeld
  | QuorumCertificateReceived
  | CommitCertificateReceived
  | TimeoutCertificateReceived
  | TimeoutReceived
  | OldMessageSeen
  | TimerFired
  | PayloadReady;

/** The events that a verified bundle of certificates comes down to. */
export function eventsOfBundle(bundle: CertificateBundle): readonly ConsensusEvent[] {
  const events: ConsensusEvent[] = [];
  const [commitCertificate] = bundle.commitCertificate;
  const [commitQuorumCertificate] = bundle.commitQuorumCertificate;
  if (commitCertificate !== undefined) {
    events.push({ kind: 'commit-certificate-received', certificate: commitCertificate, quorumCertificate: commitQuorumCertificate });
  }
  for (const certificate of bundle.highestQuorumCertificate) events.push({ kind: 'quorum-certificate-received', certificate });
  for (const certificate of bundle.timeoutCertificate) events.push({ kind: 'timeout-certificate-received', certificate });
  return events;
}
