// How blocks enter the tree and become valid. A proposal is taken for the current round only; of what is older, only what a
// certificate or another block names. A block is opened (its leader checked, its validation asked for) when its parent is valid,
// because the leader draw and the VRF input come from the parent.
import { bytesEqual, bytesToHex } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import { adoptQuorumCertificate, adoptTimeoutCertificate } from './adopt.ts';
import { isRoleOf, mayFollow, parentHeightOf } from './block-role.ts';
import { isWanted, pointOf, roleOf, TREE_BLOCKS_MAX, treeBlockOf, withBlock } from './block-tree.ts';
import { commitPending } from './commit.ts';
import type { Report, ReportKind } from './effects.ts';
import type { BlockFetched, BlockNotHeld, BlockValidated, ProposalReceived } from './events.ts';
import { leaderOf, pointAfter, vrfAlphaOf } from './leader.ts';
import { lead } from './proposal.ts';
import { type ConsensusState, type Rule, sequence, type Transition, type TreeBlock, unchanged } from './state.ts';
import { voteFor } from './vote.ts';

/** Of one proposer and round; a second one is an offence, a third tells nothing new. */
const PROPOSALS_OF_PROPOSER_MAX = 2;

/** Upon receiving a proposal: adopt the certificates that it carries, then take the block. */
export function onProposalReceived(state: ConsensusState, { hash, header }: ProposalReceived): Transition {
  const rules: Rule[] = [];
  for (const certificate of header.justify) rules.push((current) => adoptQuorumCertificate(current, certificate));
  for (const certificate of header.timeoutCertificate) rules.push((current) => adoptTimeoutCertificate(current, certificate));
  return sequence(state, ...rules, (current) => takeProposal(current, treeBlockOf(hash, header, false)));
}

/** Upon fetching a block that a certificate covers. */
export function onBlockFetched(state: ConsensusState, { hash, header }: BlockFetched): Transition {
  const known = state.blocks.get(bytesToHex(hash));
  if (known === undefined) return takeBlock(state, treeBlockOf(hash, header, true));
  if (known.isCertified || known.status === 'valid') return unchanged(state);
  return openBlock(state, { ...known, isCertified: true, status: 'waiting' }); // A voting rule may have held its validation back.
}

/** Upon the shell's verdict on a block: a valid one may be voted for, committed and built on. */
export function onBlockValidated(state: ConsensusState, { hash, vrfOutput, role, isHeldBack }: BlockValidated): Transition {
  const block = state.blocks.get(bytesToHex(hash));
  if (block === undefined || block.status !== 'validating') return unchanged(state);
  const parent = pointOf(state, block.parentHex);
  if (vrfOutput === undefined || parent === undefined) return markInvalid(state, block);
  invariant(isRoleOf(role, block.header), 'what the shell calls a carrier is at the height of its parent, and nothing else is');
  const { height, round } = block.header;
  const point = pointAfter(parent, { hash: block.hash, height, round }, vrfOutput, state.parameters.leaderWindow);
  const valid: TreeBlock = { ...block, status: 'valid', point, role };
  return sequence(
    withBlock(state, valid),
    (current) => (isHeldBack ? unchanged(current) : voteFor(current, valid)),
    (current) => openChildren(current, valid),
    commitPending,
    lead,
  );
}

/**
 * Upon hearing that the shell does not hold a block whose validation was asked for: it arrived as an old proposal too, and was discarded as
 * such (`drop`) between its being fetched and this. Else it would wait for its verdict for ever, and all blocks above with it.
 */
export function onBlockNotHeld(state: ConsensusState, { hash }: BlockNotHeld): Transition {
  const block = state.blocks.get(bytesToHex(hash));
  if (block === undefined || block.status !== 'validating') return unchanged(state);
  const blocks = new Map(state.blocks);
  blocks.delete(block.hashHex);
  const next = { ...state, blocks };
  if (!isWanted(next, block.hashHex)) return unchanged(next);
  return { state: next, effects: [{ kind: 'request-block', hash, height: block.header.height }] };
}

function takeProposal(state: ConsensusState, block: TreeBlock): Transition {
  if (state.blocks.has(block.hashHex)) return unchanged(state);
  if (isWanted(state, block.hashHex)) return takeBlock(state, block);
  const rivals = proposalsOf(state, block);
  if (block.header.round < state.round || rivals >= PROPOSALS_OF_PROPOSER_MAX) return drop(state, block);
  const taken = takeBlock(state, block);
  return rivals === 0 ? taken : { ...taken, effects: [...taken.effects, reportOn(block, 'conflicting-proposals')] };
}

function takeBlock(state: ConsensusState, block: TreeBlock): Transition {
  const { height, round } = block.header;
  const isOld = height <= state.committed.height || round <= state.committed.round;
  return isOld || state.blocks.size >= TREE_BLOCKS_MAX ? drop(state, block) : openBlock(state, block);
}

// The shell forgets a block that the tree does not hold: else it would not fetch it when a certificate names it after all. One of a
// committed height it forgets by itself; it may be the very block that is being committed.
function drop(state: ConsensusState, { hash, header }: TreeBlock): Transition {
  return header.height <= state.committed.height ? unchanged(state) : { state, effects: [{ kind: 'discard-blocks', hashes: [hash] }] };
}

// Asks for the validation of a block whose parent is valid, and for the parent of one that has none here.
function openBlock(state: ConsensusState, block: TreeBlock): Transition {
  const { header, hash, isCertified } = block;
  const parent = pointOf(state, block.parentHex);
  if (parent === undefined) {
    const waiting = withBlock(state, block);
    if (state.blocks.has(block.parentHex)) return unchanged(waiting);
    return { state: waiting, effects: [{ kind: 'request-block', hash: header.parentHash, height: parentHeightOf(header) }] };
  }
  const proposer = leaderOf(state.instance, parent, header.round);
  if (proposer !== header.proposer) {
    return { state: withBlock(state, { ...block, status: 'invalid' }), effects: [reportOn(block, 'not-the-leader')] };
  }
  if (!mayFollow(header, roleOf(state, block.parentHex))) {
    const { state: next, effects } = markInvalid(state, block);
    return { state: next, effects: effects.length > 0 ? effects : [reportOn(block, 'wrong-role')] };
  }
  const vrfAlpha = vrfAlphaOf(state.instance, parent.seed, header.round);
  return {
    state: withBlock(state, { ...block, status: 'validating' }),
    effects: [{ kind: 'validate-block', hash, header, vrfAlpha, proposer, isCertified }],
  };
}

function openChildren(state: ConsensusState, parent: TreeBlock): Transition {
  const children = [...state.blocks.values()].filter(({ status, parentHex }) => status === 'waiting' && parentHex === parent.hashHex);
  return sequence(
    state,
    ...children.map(
      (child): Rule =>
        (current) =>
          openBlock(current, child),
    ),
  );
}

function markInvalid(state: ConsensusState, block: TreeBlock): Transition {
  const next = withBlock(state, { ...block, status: 'invalid' });
  const [highest] = state.record.highestQuorumCertificate;
  const isCertified = block.isCertified || (highest !== undefined && bytesEqual(highest.point.blockHash, block.hash));
  return isCertified ? { state: next, effects: [reportOn(block, 'certified-block-invalid')] } : unchanged(next);
}

function proposalsOf(state: ConsensusState, { header }: TreeBlock): number {
  let count = 0;
  for (const other of state.blocks.values()) {
    if (other.header.round === header.round && other.header.proposer === header.proposer) count++;
  }
  return count;
}

function reportOn({ hash, header }: TreeBlock, report: ReportKind): Report {
  return { kind: 'report', report, round: header.round, hash, validator: header.proposer };
}
