// Adopting certificates, wherever they come from: the own vote pool, a proposal, a timeout, a bundle. A QC is adopted however late
// it comes, also of a round that the node has given up: it advances by it, and only does not commit-vote.
import { bytesToHex } from '../primitives/bytes.ts';
import type { CommitCertificate, QuorumCertificate, TimeoutCertificate } from '../protocol/certificate.ts';
import { commitPending, requestMissing } from './commit.ts';
import { commitVoteFor } from './commit-vote.ts';
import { enterRound } from './pacemaker.ts';
import { lead } from './proposal.ts';
import { highestRoundOf } from './record.ts';
import { type ConsensusState, type PendingCommit, sequence, type Transition, unchanged } from './state.ts';

/** On a QC: commit-vote for its block, record it if it is the highest, and advance past its round. */
export function adoptQuorumCertificate(state: ConsensusState, certificate: QuorumCertificate): Transition {
  const { round } = certificate.point;
  const paired = pairWithPending(state, certificate);
  if (round <= highestRoundOf(state.record)) return paired === state ? unchanged(state) : commitPending(paired);
  return sequence(
    withHighest(paired, certificate),
    (current) => commitVoteFor(current, certificate),
    (current) => (round >= current.round ? enterRound(current, round + 1, undefined) : lead(current)),
    requestMissing,
    commitPending,
  );
}

/** On a TC: adopt the QC that it carries, then leave its round. */
export function adoptTimeoutCertificate(state: ConsensusState, certificate: TimeoutCertificate): Transition {
  const [highest] = certificate.highestQuorumCertificate;
  return sequence(
    state,
    (current) => (highest === undefined ? unchanged(current) : adoptQuorumCertificate(current, highest)),
    (current) => (certificate.round >= current.round ? enterRound(current, certificate.round + 1, certificate) : unchanged(current)),
  );
}

/** On a CC: its block and all ancestors are final, as soon as its QC and those blocks are here. */
export function receiveCommitCertificate(
  state: ConsensusState,
  commitCertificate: CommitCertificate,
  quorumCertificate: QuorumCertificate | undefined,
): Transition {
  const { round } = commitCertificate.point;
  if (round <= state.committed.round) return unchanged(state);
  const pending = state.pendingCommit;
  const isNewest = pending === undefined || round > pending.commitCertificate.point.round;
  const found = quorumCertificate ?? knownQuorumCertificate(state, commitCertificate);
  const received: PendingCommit = { commitCertificate, quorumCertificate: found };
  const next = withNearest(isNewest ? { ...state, pendingCommit: received } : state, isNewest ? pending : received);
  return sequence(
    next,
    (current) => (quorumCertificate === undefined ? unchanged(current) : adoptQuorumCertificate(current, quorumCertificate)),
    commitPending,
  );
}

// Of those that are not the newest, the one that is carried out first. It needs its QC: there is no second place to wait for one.
function withNearest(state: ConsensusState, other: PendingCommit | undefined): ConsensusState {
  if (other?.quorumCertificate === undefined) return state;
  const { commitCertificate, quorumCertificate } = other;
  const nearest = state.nearestCommit?.commitCertificate.point;
  if (nearest !== undefined && nearest.round <= commitCertificate.point.round) return state;
  return { ...state, nearestCommit: { commitCertificate, quorumCertificate } };
}

// The TC that admitted the node to its round is of no use beside a QC of the same round or a later one.
function withHighest(state: ConsensusState, certificate: QuorumCertificate): ConsensusState {
  const timeoutCertificate = state.record.timeoutCertificate.filter(({ round }) => round > certificate.point.round);
  return { ...state, record: { ...state.record, highestQuorumCertificate: [certificate], timeoutCertificate } };
}

function pairWithPending(state: ConsensusState, certificate: QuorumCertificate): ConsensusState {
  const pending = state.pendingCommit;
  if (pending === undefined || pending.quorumCertificate !== undefined) return state;
  if (!isSameBlock(pending.commitCertificate, certificate)) return state;
  const complete: PendingCommit = { ...pending, quorumCertificate: certificate };
  return { ...state, pendingCommit: complete };
}

// A CC that the own vote pool formed comes without its QC: it is the highest, or a child carries it.
function knownQuorumCertificate(state: ConsensusState, commitCertificate: CommitCertificate): QuorumCertificate | undefined {
  const [highest] = state.record.highestQuorumCertificate;
  if (highest !== undefined && isSameBlock(highest, commitCertificate)) return highest;
  for (const { header } of state.blocks.values()) {
    const [justify] = header.justify;
    if (justify !== undefined && isSameBlock(justify, commitCertificate)) return justify;
  }
  return undefined;
}

function isSameBlock(a: QuorumCertificate, b: QuorumCertificate): boolean {
  return a.point.round === b.point.round && bytesToHex(a.point.blockHash) === bytesToHex(b.point.blockHash);
}
