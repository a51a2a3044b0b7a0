// Making proofs from a version of a tree (proof.ts checks them).
import { ZERO_32 } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32 } from '../primitives/ids.ts';
import { committedValue, type Leaf, tagOf } from './leaf.ts';
import { childNode, type NodeSource, pathThrough, rootNode } from './node-source.ts';
import type { ProvenLeaf, StateProof } from './proof.ts';
import {
  bitAt,
  chainUp,
  firstWithBit,
  hashOfLeaves,
  isFixed,
  nibbleAt,
  PAGE_SLOTS,
  type Page,
  pageHash,
  type TreeNode,
  type TreeRoot,
} from './tree-node.ts';

const PAGE_LEVELS = 4;

/** How the way of a key goes on below a page: to the node in a slot, or not at all, ending at a leaf or at nothing. */
type Step = { readonly next: TreeNode } | { readonly next: undefined; readonly end: Leaf | undefined };

/** The proof that `key` has a leaf in the tree, or that it has none. */
export function proveKey(source: NodeSource, root: TreeRoot, key: Bytes32): StateProof {
  const siblings: Bytes32[] = [];
  let node = rootNode(source, root);
  const { rootDepth, rootLevel } = source.subtree;
  let depth = rootDepth;
  while (node?.kind === 'page') {
    const step = descendPage(source, node, depth, key, siblings);
    if (step.next === undefined) return { key, siblings: siblings.slice(rootLevel), leaf: proven(step.end) };
    depth = node.depth + 1;
    node = step.next;
  }
  const end = node === undefined ? undefined : descendBucket(node.leaves, PAGE_LEVELS * depth, key, siblings);
  // What lies above the shard's root in its page is no part of the shard.
  return { key, siblings: siblings.slice(rootLevel), leaf: proven(end) };
}

// Adds the hashes that a page has beside the way of `key`.
function descendPage(source: NodeSource, page: Page, slotDepth: number, key: Bytes32, siblings: Bytes32[]): Step {
  // Skipped levels have one empty child each.
  for (let bitDepth = PAGE_LEVELS * slotDepth; bitDepth < PAGE_LEVELS * page.depth; bitDepth++) {
    if (bitAt(key, bitDepth) !== bitAt(page.path, bitDepth)) {
      siblings.push(chainUp(pageHash(page, 1), page.path, PAGE_LEVELS * page.depth, bitDepth + 1));
      return { next: undefined, end: undefined };
    }
    siblings.push(ZERO_32);
  }
  const slot = nibbleAt(key, page.depth);
  const fixed = isFixed(source.kind, page.depth);
  for (let level = 1; level <= PAGE_LEVELS; level++) {
    const index = (PAGE_SLOTS + slot) >>> (PAGE_LEVELS - level);
    siblings.push(pageHash(page, index ^ 1));
    const leaves = leavesBelow(page, index, level);
    if (leaves === 0) return { next: undefined, end: undefined };
    // A collapsed subtree of one leaf is that leaf, also above the level of slots.
    if (leaves === 1 && !fixed) return { next: undefined, end: onlyLeafBelow(source, page, index, level) };
  }
  const next = childNode(source, page, slot, key);
  invariant(next !== undefined, 'a slot with leaves has a node');
  return { next };
}

function descendBucket(leaves: readonly Leaf[], fromDepth: number, key: Bytes32, siblings: Bytes32[]): Leaf | undefined {
  let from = 0;
  let to = leaves.length;
  for (let bitDepth = fromDepth; to - from > 1; bitDepth++) {
    const middle = firstWithBit(leaves, from, to, bitDepth);
    const goesLeft = bitAt(key, bitDepth) === 0;
    siblings.push(goesLeft ? hashOfLeaves(leaves, middle, to, bitDepth + 1) : hashOfLeaves(leaves, from, middle, bitDepth + 1));
    if (goesLeft) to = middle;
    else from = middle;
  }
  return from === to ? undefined : leaves[from];
}

function leavesBelow(page: Page, index: number, level: number): number {
  const [from, to] = slotsBelow(index, level);
  let leaves = 0;
  for (let slot = from; slot < to; slot++) leaves += page.counts[slot] as number;
  return leaves;
}

function onlyLeafBelow(source: NodeSource, page: Page, index: number, level: number): Leaf | undefined {
  const [from] = slotsBelow(index, level);
  const slot = page.counts.indexOf(1, from);
  const bucket = childNode(source, page, slot, pathThrough(page, slot));
  invariant(bucket?.kind === 'bucket', 'a subtree of one leaf is a bucket');
  return bucket.leaves[0];
}

function slotsBelow(index: number, level: number): readonly [from: number, to: number] {
  const width = PAGE_SLOTS >>> level;
  const from = (index - (1 << level)) * width;
  return [from, from + width];
}

function proven(leaf: Leaf | undefined): ProvenLeaf | undefined {
  return leaf === undefined ? undefined : { tag: tagOf(leaf.row), key: leaf.key, value: committedValue(leaf.row) };
}
