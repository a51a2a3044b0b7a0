// Committing (protocol, section 3): a quorum of commit votes is a CC, valid only together with its block's QC; the block and all its
// ancestors are then final within the instance. It is the only commit rule.
import { invariant } from '../primitives/errors.ts';
import type { Round } from '../primitives/ids.ts';
import type { QuorumCertificate } from '../protocol/certificate.ts';
import { pathToCommitted, splitAtCommitted } from './block-tree.ts';
import { type ClosedInstance, closedEffect, splitAtClosing } from './closed-instance.ts';
import type { Commit, CommitProof, Effect } from './effects.ts';
import { type ConsensusState, type PendingCommit, sequence, type Transition, type TreeBlock, unchanged } from './state.ts';

/** Commits what a pending CC covers, if its QC is known and every block down to the committed one is here and valid. */
export function commitPending(state: ConsensusState): Transition {
  return sequence(state, commitNearest, commitNewest);
}

function commitNearest(state: ConsensusState): Transition {
  return state.nearestCommit === undefined ? unchanged(state) : commitBy(state, state.nearestCommit);
}

function commitNewest(state: ConsensusState): Transition {
  const pending = state.pendingCommit;
  if (pending === undefined || pending.quorumCertificate === undefined) return unchanged(state);
  return commitBy(state, { commitCertificate: pending.commitCertificate, quorumCertificate: pending.quorumCertificate });
}

function commitBy(state: ConsensusState, proof: CommitProof): Transition {
  const { blockHash, height, round } = proof.commitCertificate.point;
  if (round <= state.committed.round) return unchanged(withoutPendingUpTo(state, state.committed.round));
  const walk = pathToCommitted(state, blockHash, height);
  switch (walk.kind) {
    case 'missing':
      return { state, effects: [{ kind: 'request-block', hash: walk.hash, height: walk.height }] };
    case 'conflicting':
      return {
        state: withoutPendingUpTo(state, round),
        effects: [{ kind: 'report', report: 'conflicting-commit', round, hash: blockHash, validator: undefined }],
      };
    case 'complete':
      return commitPath(state, walk.path, proof);
  }
}

// The pending CCs of later rounds only.
function withoutPendingUpTo(state: ConsensusState, round: Round): ConsensusState {
  const later = <T extends PendingCommit>(pending: T | undefined): T | undefined =>
    pending !== undefined && pending.commitCertificate.point.round > round ? pending : undefined;
  return { ...state, pendingCommit: later(state.pendingCommit), nearestCommit: later(state.nearestCommit) };
}

/** Asks for the newest missing block under the highest QC. */
export function requestMissing(state: ConsensusState): Transition {
  const [highest] = state.record.highestQuorumCertificate;
  if (highest === undefined || highest.point.height <= state.committed.height) return unchanged(state);
  const walk = pathToCommitted(state, highest.point.blockHash, highest.point.height);
  return walk.kind === 'missing' ? { state, effects: [{ kind: 'request-block', hash: walk.hash, height: walk.height }] } : unchanged(state);
}

function commitPath(state: ConsensusState, path: readonly TreeBlock[], proof: CommitProof): Transition {
  if (path.some(({ status }) => status !== 'valid')) return unchanged(state); // Its validation is under way.
  const { chain, carriers } = splitAtClosing(path);
  const last = chain.at(-1);
  const committed = last?.point;
  invariant(committed !== undefined, 'a CC above the committed block covers a valid block that is no carrier');
  const closed = last?.role === 'closing' ? { carriers, proof } : undefined;
  const effects: Effect[] = chain.map((block, index) => commitOf(block, path[index + 1], proof, block === last ? closed : undefined));
  if (closed !== undefined) effects.push(closedEffect(committed, closed));
  const { kept, dropped } = splitAtCommitted(state.blocks, committed);
  const coveredHexes = new Set(path.map(({ hashHex }) => hashHex));
  const useless = closed === undefined ? dropped : [...state.blocks.values()];
  const hashes = useless.filter(({ hashHex }) => !coveredHexes.has(hashHex)).map(({ hash }) => hash);
  if (hashes.length > 0) effects.push({ kind: 'discard-blocks', hashes });
  const committedState = { ...state, committed, commitProof: proof };
  if (closed !== undefined) return { state: closeState(committedState, closed), effects };
  return { state: withoutPendingUpTo({ ...committedState, blocks: kept }, committed.round), effects };
}

// An instance that has ended remembers how it did, and nothing else.
function closeState(state: ConsensusState, closed: ClosedInstance): ConsensusState {
  return { ...state, closed, blocks: new Map(), timeouts: new Map(), pendingCommit: undefined, nearestCommit: undefined };
}

// The QC of a block below the certified one is its child's justify.
function commitOf(block: TreeBlock, child: TreeBlock | undefined, proof: CommitProof, closed: ClosedInstance | undefined): Commit {
  const quorumCertificate: QuorumCertificate | undefined = child === undefined ? proof.quorumCertificate : child.header.justify[0];
  invariant(quorumCertificate !== undefined && block.point !== undefined, 'a committed block is valid, and its child justified by its QC');
  const commitCertificate = child === undefined ? proof.commitCertificate : undefined;
  return { kind: 'commit', hash: block.hash, header: block.header, quorumCertificate, commitCertificate, point: block.point, closed };
}
