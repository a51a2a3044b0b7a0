// What there is to verify about each message before the engine may hear of it: first its structure, which is free, then the
// signatures that it claims, as a list for whoever verifies (batched, in workers or not). A message is good only if all of its
// sets are. Only the VRF proof is left out: its input needs the parent (see `ValidateBlock`).
import type { BlsAggregateSet, BlsScheme, BlsSignatureSet } from '../crypto/bls.ts';
import { SIGNATURE_KIND, signingRoot } from '../crypto/domains.ts';
import { bytesEqual } from '../primitives/bytes.ts';
import type { Bytes32, Round, ValidatorIndex } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import type { BlockHeader } from '../protocol/block.ts';
import {
  BlockPoint,
  type CommitCertificate,
  type QuorumCertificate,
  SCHEME_BLS,
  type TimeoutCertificate,
  TimeoutPoint,
} from '../protocol/certificate.ts';
import { type CommitteeMember, type Instance, isQuorum } from '../protocol/committee.ts';
import type { CertificateBundle, Timeout, Vote } from '../protocol/vote.ts';
import { memberIndexOf, reportedRoundOf, seatsOf, signersOf } from './certificates.ts';
import { checkHeader, type HeaderRefusal } from './header-rules.ts';
import { domainOf } from './instance-domains.ts';

/** A claim that BLS signatures are valid: by one key, by several keys over one message, or by each key over its own message. */
export type SignatureSet =
  | ({ readonly kind: 'single' } & BlsSignatureSet)
  | ({ readonly kind: 'fast-aggregate' } & BlsAggregateSet)
  | {
      readonly kind: 'aggregate';
      readonly publicKeys: readonly Uint8Array[];
      readonly messages: readonly Uint8Array[];
      readonly signature: Uint8Array;
    };

/** Why a message is wrong whatever its signatures say. */
export type MessageRefusal =
  | HeaderRefusal
  | 'wrong-bitmap'
  | 'no-quorum'
  | 'unknown-scheme'
  | 'wrong-round'
  | 'wrong-rounds-list'
  | 'wrong-highest-certificate'
  | 'certificate-without-pair';

/** Either the sets to verify or the reason why there is no need to. */
export type SignatureClaims = Verdict<readonly SignatureSet[], MessageRefusal>;

/** The two kinds of vote: each is signed in its own domain. */
export type VoteKind = 'vote' | 'commit-vote';

/** What a proposer signs: its header's root. */
export function proposalMessage(instance: Instance, blockHash: Bytes32): Uint8Array {
  return signingRoot(blockHash, domainOf(instance, SIGNATURE_KIND.proposal));
}

/** What a vote or commit vote signs. */
export function voteMessage(instance: Instance, kind: VoteKind, point: BlockPoint): Uint8Array {
  const signatureKind = kind === 'vote' ? SIGNATURE_KIND.vote : SIGNATURE_KIND.commitVote;
  return signingRoot(BlockPoint.hashTreeRoot(point), domainOf(instance, signatureKind));
}

/** What a timeout signs: (round, highest QC round); the QC itself travels beside it. */
export function timeoutMessage(instance: Instance, round: Round, highestQuorumCertificateRound: Round): Uint8Array {
  const root = TimeoutPoint.hashTreeRoot({ round, highestQuorumCertificateRound });
  return signingRoot(root, domainOf(instance, SIGNATURE_KIND.timeout));
}

/** One vote or commit vote. Votes are usually verified together instead: see vote-pool.ts. */
export function voteClaims(instance: Instance, kind: VoteKind, vote: Vote): SignatureClaims {
  if (!bytesEqual(vote.instanceId, instance.instanceId)) return refuse('wrong-instance');
  if (vote.point.round < 1) return refuse('wrong-round');
  return claimsOfMember(instance, vote.validator, voteMessage(instance, kind, vote.point), vote.signature);
}

/** A timeout: its signature, and the QC that it claims, without which it does not count. */
export function timeoutClaims(instance: Instance, timeout: Timeout): SignatureClaims {
  if (!bytesEqual(timeout.instanceId, instance.instanceId)) return refuse('wrong-instance');
  const reportedRound = reportedRoundOf(timeout);
  if (timeout.round < 1 || reportedRound >= timeout.round) return refuse('wrong-round', `${timeout.round} with a QC of ${reportedRound}`);
  const message = timeoutMessage(instance, timeout.round, reportedRound);
  const own = claimsOfMember(instance, timeout.validator, message, timeout.signature);
  return joined(own, ...timeout.highestQuorumCertificate.map((certificate) => certificateClaims(instance, 'vote', certificate)));
}

/** A proposal: the header on its face, the proposer's signature, the QC of its parent, and the TC where there is one. */
export function proposalClaims(instance: Instance, header: BlockHeader, hash: Bytes32, signature: Uint8Array): SignatureClaims {
  return joined(claimsOfMember(instance, header.proposer, proposalMessage(instance, hash), signature), headerClaims(instance, header));
}

/** The certificates inside a header, and the header on its face: all that there is to verify of a block that comes by sync. */
export function headerClaims(instance: Instance, header: BlockHeader): SignatureClaims {
  const face = checkHeader(instance, header);
  if (!face.ok) return face;
  return joined(
    ...header.justify.map((certificate) => certificateClaims(instance, 'vote', certificate)),
    ...header.timeoutCertificate.map((certificate) => timeoutCertificateClaims(instance, certificate)),
  );
}

/** A QC (of votes) or CC (of commit votes): a bitmap of the committee's length, more than two thirds of its seats, one aggregate. */
export function certificateClaims(instance: Instance, kind: VoteKind, certificate: QuorumCertificate | CommitCertificate): SignatureClaims {
  const signers = quorumOf(instance, certificate);
  if (!signers.ok) return signers;
  if (certificate.point.round < 1) return refuse('wrong-round');
  const publicKeys = signers.value.map(({ blsPublicKey }) => blsPublicKey);
  const message = voteMessage(instance, kind, certificate.point);
  return accept([{ kind: 'fast-aggregate', publicKeys, message, signature: certificate.signature }]);
}

/** A TC: one reported round for each signer, and the highest of those QCs in full, else it could stall the chain for ever. */
export function timeoutCertificateClaims(instance: Instance, certificate: TimeoutCertificate): SignatureClaims {
  const signers = quorumOf(instance, certificate);
  if (!signers.ok) return signers;
  const { round, highestQuorumCertificateRounds: reportedRounds, signature } = certificate;
  if (reportedRounds.length !== signers.value.length) return refuse('wrong-rounds-list', `${reportedRounds.length} rounds`);
  const highestReported = Math.max(...reportedRounds);
  if (round < 1 || highestReported >= round) return refuse('wrong-round', `${round} with a QC of ${highestReported}`);
  const [highest] = certificate.highestQuorumCertificate;
  if ((highest?.point.round ?? 0) !== highestReported) return refuse('wrong-highest-certificate', `${highestReported} is reported`);
  const publicKeys = signers.value.map(({ blsPublicKey }) => blsPublicKey);
  const messages = reportedRounds.map((reported) => timeoutMessage(instance, round, reported));
  const own = accept<readonly SignatureSet[]>([{ kind: 'aggregate', publicKeys, messages, signature }]);
  return highest === undefined ? own : joined(own, certificateClaims(instance, 'vote', highest));
}

/** A bundle of newest certificates: a CC comes with the QC of the same block. */
export function bundleClaims(instance: Instance, bundle: CertificateBundle): SignatureClaims {
  if (!bytesEqual(bundle.instanceId, instance.instanceId)) return refuse('wrong-instance');
  const [commitCertificate] = bundle.commitCertificate;
  const [commitQuorumCertificate] = bundle.commitQuorumCertificate;
  if ((commitCertificate === undefined) !== (commitQuorumCertificate === undefined)) return refuse('certificate-without-pair');
  const commit =
    commitCertificate === undefined || commitQuorumCertificate === undefined
      ? accept<readonly SignatureSet[]>([])
      : commitProofClaims(instance, commitQuorumCertificate, commitCertificate);
  return joined(
    commit,
    ...bundle.highestQuorumCertificate.map((certificate) => certificateClaims(instance, 'vote', certificate)),
    ...bundle.timeoutCertificate.map((certificate) => timeoutCertificateClaims(instance, certificate)),
  );
}

/** A CC, valid only together with its block's QC. */
export function commitProofClaims(
  instance: Instance,
  quorumCertificate: QuorumCertificate,
  commitCertificate: CommitCertificate,
): SignatureClaims {
  const [a, b] = [BlockPoint.hashTreeRoot(quorumCertificate.point), BlockPoint.hashTreeRoot(commitCertificate.point)];
  if (!bytesEqual(a, b)) return refuse('certificate-without-pair', 'the QC is of another block');
  return joined(certificateClaims(instance, 'vote', quorumCertificate), certificateClaims(instance, 'commit-vote', commitCertificate));
}

/** Verifies sets one by one on this thread: for tests, benchmarks and light users; nodes batch. */
export function areValid(bls: BlsScheme, sets: readonly SignatureSet[]): boolean {
  return sets.every((set) => isValid(bls, set));
}

function isValid(bls: BlsScheme, set: SignatureSet): boolean {
  switch (set.kind) {
    case 'single':
      return bls.verify(set.publicKey, set.message, set.signature);
    case 'fast-aggregate':
      return bls.fastAggregateVerify(set.publicKeys, set.message, set.signature);
    case 'aggregate':
      return bls.aggregateVerify(set.publicKeys, set.messages, set.signature);
  }
}

function quorumOf(
  { committee }: Instance,
  { signers, scheme }: Pick<QuorumCertificate, 'signers' | 'scheme'>,
): Verdict<readonly CommitteeMember[], MessageRefusal> {
  if (scheme !== SCHEME_BLS) return refuse('unknown-scheme', `scheme ${scheme}`);
  if (signers.bitLen !== committee.members.length) return refuse('wrong-bitmap', `${signers.bitLen} bits`);
  const members = signersOf(committee, signers);
  const seats = seatsOf(members);
  return isQuorum(seats, committee) ? accept(members) : refuse('no-quorum', `${seats} of ${committee.totalSeats} seats`);
}

function claimsOfMember({ committee }: Instance, validator: ValidatorIndex, message: Uint8Array, signature: Uint8Array): SignatureClaims {
  const index = memberIndexOf(committee, validator);
  const member = index === undefined ? undefined : committee.members[index];
  if (member === undefined) return refuse('not-a-member', `validator ${validator}`);
  return accept([{ kind: 'single', publicKey: member.blsPublicKey, message, signature }]);
}

// The sets of all parts, or the first refusal. The same certificate is often carried twice; it is verified once.
function joined(...parts: readonly SignatureClaims[]): SignatureClaims {
  const sets: SignatureSet[] = [];
  for (const part of parts) {
    if (!part.ok) return part;
    for (const set of part.value) if (!sets.some((known) => isSameSet(known, set))) sets.push(set);
  }
  return accept(sets);
}

function isSameSet(a: SignatureSet, b: SignatureSet): boolean {
  if (a.kind !== 'fast-aggregate' || b.kind !== 'fast-aggregate') return false;
  if (a.publicKeys.length !== b.publicKeys.length || !bytesEqual(a.signature, b.signature) || !bytesEqual(a.message, b.message))
    return false;
  return a.publicKeys.every((publicKey, index) => bytesEqual(publicKey, b.publicKeys[index] as Uint8Array));
}
