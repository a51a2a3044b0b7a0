// What a piece of evidence says, and whether it is so: against whom, and which signatures must verify. It takes nothing but the instance:
// no state, no clock, no other block. So it may be judged anywhere and at any time, with one result.
//
// Upheld: nothing that an honest validator signs, over all its lives, comes out as guilt, whatever the others do. Hence:
// - a vote for A beside a commit vote for B in one round is nothing: who hears QC(B) in time commit-votes for it, whatever it voted for;
// - a commit vote for a header that breaks the rules is nothing: it follows the QC, and its signer need not have seen the header.
import type { BlsScheme } from '../../crypto/bls.ts';
import { bytesEqual } from '../../primitives/bytes.ts';
import type { ValidatorIndex } from '../../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../../primitives/verdict.ts';
import { blockHashOf } from '../../protocol/block.ts';
import { type QuorumCertificate, SCHEME_BLS } from '../../protocol/certificate.ts';
import type { Instance } from '../../protocol/committee.ts';
import { memberIndexOf, signersOf } from '../certificates.ts';
import {
  areValid,
  headerClaims,
  proposalMessage,
  type SignatureSet,
  timeoutMessage,
  type VoteKind,
  voteMessage,
} from '../signature-sets.ts';
import { type Evidence, hashOfWitness, isOtherPoint, type TimeoutVotes } from './evidence.ts';

/** Why something is no evidence in an instance. */
export type EvidenceRefusal =
  | 'wrong-instance'
  | 'not-a-member'
  | 'wrong-bitmap'
  | 'unknown-scheme'
  | 'wrong-rounds-list'
  | 'no-contradiction'
  | 'nobody-in-both'
  | 'another-block'
  | 'bad-signature';

/** An accusation that holds if every claim does, and of the doubted claims, where there are any, not every one. */
export interface Accusation {
  /** In ascending order, at least one. */
  readonly guilty: readonly ValidatorIndex[];
  readonly claims: readonly SignatureSet[];
  /** The certificates of a header that is fine on its face: who votes for it must have verified them. Empty where guilt hangs on none. */
  readonly doubted: readonly SignatureSet[];
}

type Accused = Verdict<Accusation, EvidenceRefusal>;

/** See the file's head: everything but the signatures. */
export function accusationOf(instance: Instance, evidence: Evidence): Accused {
  if (!bytesEqual(evidence.instanceId, instance.instanceId)) return refuse('wrong-instance');
  switch (evidence.kind) {
    case 'conflicting-votes':
      return ofVotePair(instance, 'vote', evidence);
    case 'conflicting-commit-votes':
      return ofVotePair(instance, 'commit-vote', evidence);
    case 'conflicting-proposals':
      return ofProposalPair(instance, evidence);
    case 'broken-timeout':
      return ofBrokenTimeout(instance, evidence);
    case 'vote-against-rules':
      return ofVoteAgainstRules(instance, evidence);
  }
}

/** Who is guilty, signatures included, on this thread: for tools and tests; nodes verify in batches. */
export function verifyEvidence(
  instance: Instance,
  evidence: Evidence,
  bls: BlsScheme,
): Verdict<readonly ValidatorIndex[], EvidenceRefusal> {
  const accused = accusationOf(instance, evidence);
  if (!accused.ok) return accused;
  const { guilty, claims, doubted } = accused.value;
  if (!areValid(bls, claims)) return refuse('bad-signature');
  if (doubted.length > 0 && areValid(bls, doubted)) return refuse('no-contradiction', 'the header and its certificates are valid');
  return accept(guilty);
}

/** The claim that all signers of a certificate signed; `certificateClaims` would ask for a quorum besides. */
export function votesClaim(instance: Instance, kind: VoteKind, votes: QuorumCertificate): SignatureSet {
  const publicKeys = signersOf(instance.committee, votes.signers).map(({ blsPublicKey }) => blsPublicKey);
  const message = voteMessage(instance, kind, votes.point);
  const [only] = publicKeys;
  // A single vote claims what it claimed when it arrived: what was verified then is not verified again.
  if (publicKeys.length === 1 && only !== undefined) return { kind: 'single', publicKey: only, message, signature: votes.signature };
  return { kind: 'fast-aggregate', publicKeys, message, signature: votes.signature };
}

/** The claim that all signers of these timeouts signed. */
function timeoutsClaim(
  instance: Instance,
  { round, signers, highestQuorumCertificateRounds: rounds, signature }: TimeoutVotes,
): SignatureSet {
  const publicKeys = signersOf(instance.committee, signers).map(({ blsPublicKey }) => blsPublicKey);
  const messages = rounds.map((reported) => timeoutMessage(instance, round, reported));
  const [[publicKey], [message]] = [publicKeys, messages];
  if (publicKeys.length === 1 && publicKey !== undefined && message !== undefined) return { kind: 'single', publicKey, message, signature };
  return { kind: 'aggregate', publicKeys, messages, signature };
}

function ofVotePair(
  instance: Instance,
  kind: VoteKind,
  { first, second }: { readonly first: QuorumCertificate; readonly second: QuorumCertificate },
): Accused {
  const refusal = refusalOfBitmap(instance, first) ?? refusalOfBitmap(instance, second);
  if (refusal !== undefined) return refusal;
  if (first.point.round !== second.point.round || !isOtherPoint(first.point, second.point))
    return refuse('no-contradiction', `rounds ${first.point.round} and ${second.point.round}`);
  const inFirst = new Set(first.signers.getTrueBitIndexes());
  const both = second.signers.getTrueBitIndexes().filter((index) => inFirst.has(index));
  return accuse(instance, both, [votesClaim(instance, kind, first), votesClaim(instance, kind, second)]);
}

function ofProposalPair(instance: Instance, evidence: Extract<Evidence, { kind: 'conflicting-proposals' }>): Accused {
  const { validator, round, first, second } = evidence;
  const index = memberIndexOf(instance.committee, validator);
  const member = index === undefined ? undefined : instance.committee.members[index];
  if (index === undefined || member === undefined) return refuse('not-a-member', `validator ${validator}`);
  const hashes = [hashOfWitness(round, first), hashOfWitness(round, second)] as const;
  if (bytesEqual(...hashes)) return refuse('no-contradiction', 'twice the same block');
  const claims = [first, second].map(({ signature }, place): SignatureSet => {
    const message = proposalMessage(instance, hashes[place] as Uint8Array);
    return { kind: 'single', publicKey: member.blsPublicKey, message, signature };
  });
  return accuse(instance, [index], claims);
}

function ofBrokenTimeout(
  instance: Instance,
  { commitVotes, timeouts }: { readonly commitVotes: QuorumCertificate; readonly timeouts: TimeoutVotes },
): Accused {
  const refusal = refusalOfBitmap(instance, commitVotes) ?? refusalOfBitmap(instance, timeouts);
  if (refusal !== undefined) return refusal;
  const signers = timeouts.signers.getTrueBitIndexes();
  const { highestQuorumCertificateRounds: reported } = timeouts;
  if (reported.length !== signers.length) return refuse('wrong-rounds-list', `${reported.length} rounds`);
  const { round } = commitVotes.point;
  if (timeouts.round < round) return refuse('no-contradiction', `a timeout of ${timeouts.round} and a commit vote of ${round}`);
  const inBoth = signers.filter((index, place) => commitVotes.signers.get(index) && (reported[place] as number) < round);
  return accuse(instance, inBoth, [votesClaim(instance, 'commit-vote', commitVotes), timeoutsClaim(instance, timeouts)]);
}

function ofVoteAgainstRules(instance: Instance, { votes, header }: Extract<Evidence, { kind: 'vote-against-rules' }>): Accused {
  const refusal = refusalOfBitmap(instance, votes);
  if (refusal !== undefined) return refusal;
  const { point } = votes;
  if (!bytesEqual(blockHashOf(header), point.blockHash)) return refuse('another-block');
  const claims = [votesClaim(instance, 'vote', votes)];
  const signers = votes.signers.getTrueBitIndexes();
  if (point.height !== header.height || point.round !== header.round) return accuse(instance, signers, claims);
  const certificates = headerClaims(instance, header);
  if (!certificates.ok) return accuse(instance, signers, claims);
  if (certificates.value.length === 0) return refuse('no-contradiction', 'the header is valid');
  return accuse(instance, signers, claims, certificates.value);
}

function accuse(
  { committee }: Instance,
  memberIndexes: readonly number[],
  claims: readonly SignatureSet[],
  doubted: readonly SignatureSet[] = [],
): Accused {
  if (memberIndexes.length === 0) return refuse('nobody-in-both');
  return accept({ guilty: memberIndexes.map((index) => committee.members[index]?.validator as ValidatorIndex), claims, doubted });
}

// At least one signer, and a bit for each member.
function refusalOfBitmap(
  { committee }: Instance,
  { signers, scheme }: Pick<QuorumCertificate, 'signers' | 'scheme'>,
): ReturnType<typeof refuse<'wrong-bitmap' | 'unknown-scheme'>> | undefined {
  if (scheme !== SCHEME_BLS) return refuse('unknown-scheme', `scheme ${scheme}`);
  if (signers.bitLen !== committee.members.length) return refuse('wrong-bitmap', `${signers.bitLen} bits`);
  return signers.getTrueBitIndexes().length === 0 ? refuse('wrong-bitmap', 'nobody signed') : undefined;
}
