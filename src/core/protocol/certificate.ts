// Certificates: aggregate signatures of a committee with the bitmap of who signed (protocol, section 3). Bitmaps are by member
// of the committee, in order of validator index; power is by seats.
import { BitListType, ContainerType, ListBasicType, ListCompositeType, type ValueOf } from '@chainsafe/ssz';
import { COMMITTEE_MEMBERS_MAX } from './limits.ts';
import { Bytes32Type, Bytes96, Uint8, Uint64 } from './ssz.ts';

/** Who signed: bit i is member i of the committee. Its length is the committee's size. */
export const SignerBits = new BitListType(COMMITTEE_MEMBERS_MAX);

/** What a vote signs, and a commit vote in its own domain: one block of one round. */
export const BlockPoint = new ContainerType(
  { height: Uint64, round: Uint64, blockHash: Bytes32Type },
  { typeName: 'BlockPoint', jsonCase: 'eth2' },
);
export type BlockPoint = ValueOf<typeof BlockPoint>;

/** Votes (QC) or commit votes (CC) of more than two thirds of the seats for one block. `scheme` names the signature scheme. */
export const Certificate = new ContainerType(
  { point: BlockPoint, scheme: Uint8, signers: SignerBits, signature: Bytes96 },
  { typeName: 'Certificate', jsonCase: 'eth2' },
);
/** A quorum certificate: aggregate of votes. */
export type QuorumCertificate = ValueOf<typeof Certificate>;
/** A commit certificate: aggregate of commit votes. Valid only together with its block's QC. */
export type CommitCertificate = ValueOf<typeof Certificate>;

/** At most one QC: none stands for the start record, whose round counts as 0. */
export const OptionalCertificate = new ListCompositeType(Certificate, 1);

/** What a timeout signs: few distinct messages in a TC, so that the aggregate stays cheap to verify. */
export const TimeoutPoint = new ContainerType(
  { round: Uint64, highestQuorumCertificateRound: Uint64 },
  { typeName: 'TimeoutPoint', jsonCase: 'eth2' },
);
export type TimeoutPoint = ValueOf<typeof TimeoutPoint>;

/**
 * Timeouts of one round by a quorum: each signer's highest QC round, in the order of the set bits, and the highest of those QCs
 * in full (none when all report 0), without which the TC is invalid: a TC that reports a QC nobody can show stalls the chain.
 */
export const TimeoutCertificate = new ContainerType(
  {
    round: Uint64,
    scheme: Uint8,
    signers: SignerBits,
    highestQuorumCertificateRounds: new ListBasicType(Uint64, COMMITTEE_MEMBERS_MAX),
    highestQuorumCertificate: OptionalCertificate,
    signature: Bytes96,
  },
  { typeName: 'TimeoutCertificate', jsonCase: 'eth2' },
);
export type TimeoutCertificate = ValueOf<typeof TimeoutCertificate>;

/** The first scheme of the scheme table: BLS12-381, public keys in G1. */
export const SCHEME_BLS = 1;
