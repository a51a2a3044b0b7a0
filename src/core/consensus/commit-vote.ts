// The commit vote (protocol, section 3): on the QC of B of round r, a node that has not timed out in any round ≥ r, and has not
// commit-voted another block of round r, broadcasts a commit vote. The first condition is what a timeout certificate of a later
// round relies on: without it a quorum could commit B while another forgets it.
import type { QuorumCertificate } from '../protocol/certificate.ts';
import { type ConsensusState, type Transition, unchanged } from './state.ts';

/** True if the rule permits a commit vote for the certified block. Rounds only rise, so that one remembered round is enough. */
export function mayCommitVote({ record }: Pick<ConsensusState, 'record'>, { point }: QuorumCertificate): boolean {
  return record.lastTimeoutRound < point.round && record.lastCommitVotedRound < point.round;
}

/** Commit-votes for the block of a QC that was just adopted, where the rule permits it. */
export function commitVoteFor(state: ConsensusState, certificate: QuorumCertificate): Transition {
  if (state.self === undefined || !mayCommitVote(state, certificate)) return unchanged(state);
  const { point } = certificate;
  const record = { ...state.record, lastCommitVotedRound: point.round, lastCommitVotedHash: point.blockHash };
  return { state: { ...state, record }, effects: [{ kind: 'sign-and-send-commit-vote', point }] };
}
