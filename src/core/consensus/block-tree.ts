// The tree of blocks above the newest committed one: look-ups, and what falls out of it when a block is committed.
import { bytesToHex } from '../primitives/bytes.ts';
import type { Bytes32, Height, Hex } from '../primitives/ids.ts';
import type { BlockHeader } from '../protocol/block.ts';
import { type BlockRole, parentHeightOf } from './block-role.ts';
import type { ChainPoint } from './leader.ts';
import { type ConsensusState, startPoint, type TreeBlock } from './state.ts';

/** Blocks above the committed one. Certified ones stay as long as they are not committed; beyond, new ones are not taken. */
export const TREE_BLOCKS_MAX = 4096;

/** A block of the tree, not yet valid. */
export function treeBlockOf(hash: Bytes32, header: BlockHeader, isCertified: boolean): TreeBlock {
  const parentHex = bytesToHex(header.parentHash);
  return { hash, hashHex: bytesToHex(hash), parentHex, header, isCertified, status: 'waiting', point: undefined, role: 'ordinary' };
}

/** The state with the block added or replaced. */
export function withBlock(state: ConsensusState, block: TreeBlock): ConsensusState {
  return { ...state, blocks: new Map(state.blocks).set(block.hashHex, block) };
}

/** The committed block, or a valid one above it, as something to build on. */
export function pointOf(state: ConsensusState, hashHex: Hex): ChainPoint | undefined {
  return bytesToHex(state.committed.hash) === hashHex ? state.committed : state.blocks.get(hashHex)?.point;
}

/** What a block is that others may build on: the committed block is never a closing one, as long as the instance goes on. */
export function roleOf(state: ConsensusState, hashHex: Hex): BlockRole {
  return state.blocks.get(hashHex)?.role ?? 'ordinary';
}

/**
 * What the next block builds on: the block of the highest QC, else the start record; undefined while it is missing or not valid. Also where
 * the QC misstates the block's height or round, which takes more than two thirds of dishonest seats: a header on it would break the rules,
 * and be evidence against whoever votes for it.
 */
export function highestPoint(state: ConsensusState): ChainPoint | undefined {
  const [highest] = state.record.highestQuorumCertificate;
  if (highest === undefined) return state.committed.round === 0 ? startPoint(state.instance) : undefined;
  const point = pointOf(state, bytesToHex(highest.point.blockHash));
  return point?.height === highest.point.height && point.round === highest.point.round ? point : undefined;
}

/** The blocks from the one above the committed one up to this, or what keeps them from being a chain. */
export type PathToCommitted =
  | { readonly kind: 'complete'; readonly path: readonly TreeBlock[] }
  | { readonly kind: 'missing'; readonly hash: Bytes32; readonly height: Height }
  | { readonly kind: 'conflicting' };

/** Walks down from a block to the committed one. */
export function pathToCommitted(state: ConsensusState, hash: Bytes32, height: Height): PathToCommitted {
  const path: TreeBlock[] = [];
  let wanted = { hash, height };
  while (bytesToHex(wanted.hash) !== bytesToHex(state.committed.hash)) {
    if (wanted.height <= state.committed.height) return { kind: 'conflicting' };
    const block = state.blocks.get(bytesToHex(wanted.hash));
    if (block === undefined) return { kind: 'missing', ...wanted };
    path.push(block);
    wanted = { hash: block.header.parentHash, height: parentHeightOf(block.header) };
  }
  return { kind: 'complete', path: path.reverse() };
}

/** True if a certificate or another block names this one. */
export function isWanted(state: ConsensusState, hashHex: Hex): boolean {
  const [highest] = state.record.highestQuorumCertificate;
  if (highest !== undefined && bytesToHex(highest.point.blockHash) === hashHex) return true;
  for (const pending of [state.pendingCommit, state.nearestCommit])
    if (pending !== undefined && bytesToHex(pending.commitCertificate.point.blockHash) === hashHex) return true;
  for (const block of state.blocks.values()) if (block.parentHex === hashHex) return true;
  return false;
}

/** What stays above a newly committed block, its descendants and those whose parents are unknown still, and what never can be committed. */
export function splitAtCommitted(
  blocks: ReadonlyMap<Hex, TreeBlock>,
  committed: ChainPoint,
): { readonly kept: ReadonlyMap<Hex, TreeBlock>; readonly dropped: readonly TreeBlock[] } {
  const kept = new Map<Hex, TreeBlock>();
  const dropped: TreeBlock[] = [];
  const committedHex = bytesToHex(committed.hash);
  // A carrier is at the height of its parent, and of a later round.
  const ascending = [...blocks.values()].sort((a, b) => a.header.height - b.header.height || a.header.round - b.header.round);
  for (const block of ascending) {
    const isChild = block.parentHex === committedHex;
    const isOrphan = !blocks.has(block.parentHex) && parentHeightOf(block.header) > committed.height;
    if (isChild || isOrphan || kept.has(block.parentHex)) kept.set(block.hashHex, block);
    else if (block.hashHex !== committedHex) dropped.push(block);
  }
  return { kept, dropped };
}
