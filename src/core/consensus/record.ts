// The signing record: what a validator must remember for ever of one instance so that it never signs two conflicting things
// (protocol, section 3, "Durable before spoken"). It is synced before any signature leaves the node, and a restarted node resumes
// from it even if everything else was lost.
import { ContainerType, ListCompositeType, type ValueOf } from '@chainsafe/ssz';
import { ZERO_32 } from '../primitives/bytes.ts';
import type { Bytes32, Round } from '../primitives/ids.ts';
import { OptionalCertificate, TimeoutCertificate } from '../protocol/certificate.ts';
import { Bytes32Type, Uint64 } from '../protocol/ssz.ts';

/** See the file's head. Rounds are 0 and hashes zero while nothing of the kind was signed. Also the format on disk. */
export const SigningRecord = new ContainerType(
  {
    instanceId: Bytes32Type,
    lastVotedRound: Uint64,
    lastVotedHash: Bytes32Type,
    lastCommitVotedRound: Uint64,
    lastCommitVotedHash: Bytes32Type,
    lastProposedRound: Uint64,
    lastProposedHash: Bytes32Type,
    lastTimeoutRound: Uint64,
    /** In full; none stands for the start record, whose round counts as 0. */
    highestQuorumCertificate: OptionalCertificate,
    /** The TC that admitted the node to its round; none where the highest QC did. */
    timeoutCertificate: new ListCompositeType(TimeoutCertificate, 1),
  },
  { typeName: 'SigningRecord', jsonCase: 'eth2' },
);
export type SigningRecord = ValueOf<typeof SigningRecord>;

/** The record of a validator that has signed nothing in the instance. */
export function emptyRecord(instanceId: Bytes32): SigningRecord {
  return {
    instanceId,
    lastVotedRound: 0,
    lastVotedHash: ZERO_32,
    lastCommitVotedRound: 0,
    lastCommitVotedHash: ZERO_32,
    lastProposedRound: 0,
    lastProposedHash: ZERO_32,
    lastTimeoutRound: 0,
    highestQuorumCertificate: [],
    timeoutCertificate: [],
  };
}

/** Round of the highest QC; 0 for the start record. */
export function highestRoundOf(record: SigningRecord): Round {
  return record.highestQuorumCertificate[0]?.point.round ?? 0;
}

/** The round that the record's certificates admit its owner to. */
export function admittedRoundOf(record: SigningRecord): Round {
  return Math.max(highestRoundOf(record), record.timeoutCertificate[0]?.round ?? 0) + 1;
}
