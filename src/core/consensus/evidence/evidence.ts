// Evidence: what proves to everybody that validators were not honest (protocol, section 3). Each kind is two things that no honest
// validator signs both of, or one that none signs at all, with nothing around them but what verifying takes beside the instance.
//
// A vote stands here as a certificate with one bit set. So a pair may be of two votes, of a vote and a QC, or of two QCs, and who is guilty
// is in every case the overlap of the bitmaps: an aggregate that verifies proves of each of its signers that it signed, since all keys
// were proven to be possessed.
import { ContainerType, ListBasicType, type Type, type ValueOf, VectorCompositeType } from '@chainsafe/ssz';
import { sha256 } from '../../crypto/sha256.ts';
import { compareBytes } from '../../primitives/bytes.ts';
import type { Bytes32, Round } from '../../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../../primitives/verdict.ts';
import { BlockHeader } from '../../protocol/block.ts';
import { type BlockPoint, Certificate, SignerBits } from '../../protocol/certificate.ts';
import { COMMITTEE_MEMBERS_MAX } from '../../protocol/limits.ts';
import { Bytes32Type, Bytes96, decodeCanonical, Uint8, Uint32, Uint64 } from '../../protocol/ssz.ts';
import { blockHashFromRound, ROUND_BRANCH_LENGTH } from './round-branch.ts';

/** The kinds, as metrics and logs name them. */
export const EVIDENCE_KINDS = [
  /** Votes for two blocks of one round. */
  'conflicting-votes',
  /** Commit votes for two blocks of one round. */
  'conflicting-commit-votes',
  /** Two proposals of one round. */
  'conflicting-proposals',
  /** A commit vote of round r, and a timeout of r or above that reports a highest QC below r. */
  'broken-timeout',
  /** A vote for a header that nobody may vote for, whatever he knows. */
  'vote-against-rules',
] as const;

/** One of the kinds. */
export type EvidenceKind = (typeof EVIDENCE_KINDS)[number];

/** Two certificates of one kind and round, of different blocks; of one vote each, or of many. */
const VotePair = new ContainerType(
  { instanceId: Bytes32Type, first: Certificate, second: Certificate },
  { typeName: 'VotePair', jsonCase: 'eth2' },
);
type VotePair = ValueOf<typeof VotePair>;

/** A proposer's signature, and the branch that leads from its round to the block's hash: 224 bytes for a header of any size. */
const ProposalWitness = new ContainerType(
  { branch: new VectorCompositeType(Bytes32Type, ROUND_BRANCH_LENGTH), signature: Bytes96 },
  { typeName: 'ProposalWitness', jsonCase: 'eth2' },
);
/** A proposal, without its content. */
export type ProposalWitness = ValueOf<typeof ProposalWitness>;

const ProposalPair = new ContainerType(
  { instanceId: Bytes32Type, validator: Uint32, round: Uint64, first: ProposalWitness, second: ProposalWitness },
  { typeName: 'ProposalPair', jsonCase: 'eth2' },
);
type ProposalPair = ValueOf<typeof ProposalPair>;

/** Timeouts of one round by one or more members: what a TC is without the QC that it carries. */
const TimeoutVotes = new ContainerType(
  {
    round: Uint64,
    scheme: Uint8,
    signers: SignerBits,
    /** Of each signer, in the order of the set bits. */
    highestQuorumCertificateRounds: new ListBasicType(Uint64, COMMITTEE_MEMBERS_MAX),
    signature: Bytes96,
  },
  { typeName: 'TimeoutVotes', jsonCase: 'eth2' },
);
/** One timeout or many. */
export type TimeoutVotes = ValueOf<typeof TimeoutVotes>;

const BrokenTimeout = new ContainerType(
  { instanceId: Bytes32Type, commitVotes: Certificate, timeouts: TimeoutVotes },
  { typeName: 'BrokenTimeout', jsonCase: 'eth2' },
);
type BrokenTimeout = ValueOf<typeof BrokenTimeout>;

const VoteAgainstRules = new ContainerType(
  { instanceId: Bytes32Type, votes: Certificate, header: BlockHeader },
  { typeName: 'VoteAgainstRules', jsonCase: 'eth2' },
);
type VoteAgainstRules = ValueOf<typeof VoteAgainstRules>;

/** One piece of evidence. */
export type Evidence =
  | ({ readonly kind: 'conflicting-votes' | 'conflicting-commit-votes' } & VotePair)
  | ({ readonly kind: 'conflicting-proposals' } & ProposalPair)
  | ({ readonly kind: 'broken-timeout' } & BrokenTimeout)
  | ({ readonly kind: 'vote-against-rules' } & VoteAgainstRules);

const KIND_BYTES = {
  'conflicting-votes': 1,
  'conflicting-commit-votes': 2,
  'conflicting-proposals': 3,
  'broken-timeout': 4,
  'vote-against-rules': 5,
} as const satisfies Record<EvidenceKind, number>;

/** Why bytes are no evidence. */
export type EvidenceCodecRefusal = 'malformed' | 'not-canonical' | 'unknown-kind';

/** What follows the byte of the kind. */
export const EVIDENCE_CONTENTS = {
  'conflicting-votes': VotePair,
  'conflicting-commit-votes': VotePair,
  'conflicting-proposals': ProposalPair,
  'broken-timeout': BrokenTimeout,
  'vote-against-rules': VoteAgainstRules,
} as const satisfies Record<EvidenceKind, unknown>;

/** One byte for the kind, then the SSZ encoding. */
export function encodeEvidence(evidence: Evidence): Uint8Array {
  const type: Type<unknown> = EVIDENCE_CONTENTS[evidence.kind];
  return withKind(evidence.kind, type.serialize(evidence));
}

/** Reads foreign bytes. The halves of a pair stand in the order of their blocks, so that a pair has one encoding. */
export function decodeEvidence(data: Uint8Array): Verdict<Evidence, EvidenceCodecRefusal> {
  const content = data.subarray(1);
  switch (data[0]) {
    case KIND_BYTES['conflicting-votes']:
      return orderedVotes('conflicting-votes', content);
    case KIND_BYTES['conflicting-commit-votes']:
      return orderedVotes('conflicting-commit-votes', content);
    case KIND_BYTES['conflicting-proposals']:
      return decoded(ProposalPair, content, (pair) => {
        const isOrdered = compareBytes(hashOfWitness(pair.round, pair.first), hashOfWitness(pair.round, pair.second)) < 0;
        return isOrdered ? accept({ kind: 'conflicting-proposals', ...pair }) : NOT_ORDERED;
      });
    case KIND_BYTES['broken-timeout']:
      return decoded(BrokenTimeout, content, (value) => accept({ kind: 'broken-timeout', ...value }));
    case KIND_BYTES['vote-against-rules']:
      return decoded(VoteAgainstRules, content, (value) => accept({ kind: 'vote-against-rules', ...value }));
    default:
      return refuse('unknown-kind', `kind ${data[0]}`);
  }
}

/** The name of a piece of evidence: SHA-256 of its encoding. */
export function evidenceIdOf(encoded: Uint8Array): Bytes32 {
  return sha256(encoded);
}

/** The round in which it happened: of a broken timeout, that of the commit vote. */
export function roundOfEvidence(evidence: Evidence): Round {
  switch (evidence.kind) {
    case 'conflicting-votes':
    case 'conflicting-commit-votes':
      return evidence.first.point.round;
    case 'conflicting-proposals':
      return evidence.round;
    case 'broken-timeout':
      return evidence.commitVotes.point.round;
    case 'vote-against-rules':
      return evidence.votes.point.round;
  }
}

/** Evidence of two certificates of one round, in their order. */
export function votePairOf(
  kind: 'conflicting-votes' | 'conflicting-commit-votes',
  instanceId: Bytes32,
  a: VotePair['first'],
  b: VotePair['first'],
): Evidence {
  const [first, second] = comparePoints(a.point, b.point) < 0 ? [a, b] : [b, a];
  return { kind, instanceId, first, second };
}

/** Evidence of two proposals of one validator and round, in the order of their blocks. */
export function proposalPairOf(
  instanceId: Bytes32,
  { validator, round }: Pick<ProposalPair, 'validator' | 'round'>,
  a: ProposalWitness,
  b: ProposalWitness,
): Evidence {
  const isOrdered = compareBytes(hashOfWitness(round, a), hashOfWitness(round, b)) < 0;
  const [first, second] = isOrdered ? [a, b] : [b, a];
  return { kind: 'conflicting-proposals', instanceId, validator, round, first, second };
}

/** The block that a proposal was of. */
export function hashOfWitness(round: number, { branch }: ProposalWitness): Bytes32 {
  return blockHashFromRound(round, branch);
}

/** True if two votes of one round are for different blocks. A block has one height: other heights are other blocks too. */
export function isOtherPoint(a: BlockPoint, b: BlockPoint): boolean {
  return comparePoints(a, b) !== 0;
}

const NOT_ORDERED = refuse('not-canonical', 'the halves of a pair are of two blocks, in the order of their hashes');

function orderedVotes(
  kind: 'conflicting-votes' | 'conflicting-commit-votes',
  content: Uint8Array,
): Verdict<Evidence, EvidenceCodecRefusal> {
  return decoded(VotePair, content, (pair) =>
    comparePoints(pair.first.point, pair.second.point) < 0 ? accept({ kind, ...pair }) : NOT_ORDERED,
  );
}

function decoded<T>(
  type: Type<T>,
  content: Uint8Array,
  wrap: (value: T) => Verdict<Evidence, EvidenceCodecRefusal>,
): Verdict<Evidence, EvidenceCodecRefusal> {
  const verdict = decodeCanonical(type, content);
  return verdict.ok ? wrap(verdict.value) : verdict;
}

function comparePoints(a: BlockPoint, b: BlockPoint): number {
  return compareBytes(a.blockHash, b.blockHash) || a.height - b.height || a.round - b.round;
}

function withKind(kind: EvidenceKind, content: Uint8Array): Uint8Array {
  const encoded = new Uint8Array(1 + content.length);
  encoded[0] = KIND_BYTES[kind];
  encoded.set(content, 1);
  return encoded;
}
