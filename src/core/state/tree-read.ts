// Reading a version of a tree: one leaf, all leaves, a subtree's root.

import { bytesEqual, ZERO_32 } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, ChainId, Height } from '../primitives/ids.ts';
import { contains } from '../protocol/shard-id.ts';
import type { Leaf } from './leaf.ts';
import { childNode, leadsInto, type NodeSource, pathThrough, rootNode } from './node-source.ts';
import { type Subtree, subtreeOf } from './subtree.ts';
import { hashAtSlot, KEY_DEPTH, nibbleAt, PAGE_SLOTS, pageHash, sharedNibbles, type TreeNode, type TreeRoot } from './tree-node.ts';

const PAGE_LEVELS = 4;

/** The leaf of `key`, or undefined. */
export function findLeaf(source: NodeSource, root: TreeRoot, key: Bytes32): Leaf | undefined {
  let node = rootNode(source, root);
  let depth = source.subtree.rootDepth;
  while (node !== undefined && node.kind === 'page') {
    if (!leadsInto(node, key, depth)) return undefined;
    depth = node.depth + 1;
    node = childNode(source, node, nibbleAt(key, node.depth), key);
  }
  return node === undefined ? undefined : leafIn(node.leaves, key);
}

/** What is found on the way to a key's leaf. */
export interface Peeked {
  seen: Leaf | undefined;
  /** No other leaf has the first half-bytes of the key that were asked for. */
  isLone: boolean;
}

/**
 * Puts what stands at `key` into `peeked`, and whether no other leaf has its first `nibbles` half-bytes, if all nodes on the way are in memory; false,
 * and nothing put there, if not.
 */
export function peekLeaf({ use, subtree }: NodeSource, root: TreeRoot, key: Bytes32, nibbles: number, peeked: Peeked): boolean {
  if (root.leafCount === 0) return put(peeked, undefined, true);
  let { node } = root;
  let depth = subtree.rootDepth;
  while (node !== undefined) {
    node.touched = use.generation;
    const hasCompany = depth > nibbles; // The page above has more leaves than a bucket, and all of them share these.
    if (node.kind === 'bucket') return put(peeked, leafIn(node.leaves, key), !hasCompany && isAloneAmong(node.leaves, key, nibbles));
    if (!leadsInto(node, key, depth)) {
      return put(peeked, undefined, !hasCompany && sharedNibbles(node.path, key, depth) < nibbles);
    }
    const slot = nibbleAt(key, node.depth);
    if (node.counts[slot] === 0) return put(peeked, undefined, node.depth < nibbles);
    depth = node.depth + 1;
    node = node.children[slot];
  }
  return false;
}

function put(peeked: Peeked, leaf: Leaf | undefined, isLone: boolean): true {
  peeked.seen = leaf;
  peeked.isLone = isLone;
  return true;
}

/** As `isLone` of what is peeked; loads what is not in memory. */
export function isAloneIn(source: NodeSource, root: TreeRoot, key: Bytes32, nibbles: number): boolean {
  let node = rootNode(source, root);
  let depth = source.subtree.rootDepth;
  while (node !== undefined && node.kind === 'page') {
    const end = Math.min(node.depth, nibbles);
    if (depth < end && sharedNibbles(node.path, key, depth) < end) return true;
    if (node.depth >= nibbles) return false;
    depth = node.depth + 1;
    node = childNode(source, node, nibbleAt(key, node.depth), key);
  }
  return node === undefined || isAloneAmong(node.leaves, key, nibbles);
}

function isAloneAmong(leaves: readonly Leaf[], key: Bytes32, nibbles: number): boolean {
  for (const leaf of leaves) {
    const shared = sharedNibbles(leaf.key, key, 0);
    if (shared >= nibbles && shared < KEY_DEPTH) return false;
  }
  return true;
}

function leafIn(leaves: readonly Leaf[], key: Bytes32): Leaf | undefined {
  for (const leaf of leaves) if (bytesEqual(leaf.key, key)) return leaf;
  return undefined;
}

/** A node of a walk with the place of its slot. */
export interface PlacedNode {
  readonly node: TreeNode;
  readonly slotDepth: number;
  readonly path: Uint8Array;
}

/** All nodes of a tree from the root down, left to right. */
export function* walkNodes(source: NodeSource, root: TreeRoot): Generator<PlacedNode> {
  const node = rootNode(source, root);
  const { rootDepth, path } = source.subtree;
  if (node !== undefined) yield* walkBelow(source, { node, slotDepth: rootDepth, path });
}

function* walkBelow(source: NodeSource, placed: PlacedNode): Generator<PlacedNode> {
  const { node } = placed;
  yield placed;
  if (node.kind === 'bucket') return;
  for (let slot = 0; slot < PAGE_SLOTS; slot++) {
    const path = pathThrough(node, slot);
    const child = childNode(source, node, slot, path);
    if (child !== undefined) yield* walkBelow(source, { node: child, slotDepth: node.depth + 1, path });
  }
}

/** The nodes that a version added to a tree; they are all in memory until it is committed. */
export function nodesWrittenBy(version: Height, { rootDepth, path }: Subtree, root: TreeRoot): readonly PlacedNode[] {
  const written: PlacedNode[] = [];
  if (root.node !== undefined) gatherWritten(version, { node: root.node, slotDepth: rootDepth, path }, written);
  return written;
}

function gatherWritten(version: Height, placed: PlacedNode, written: PlacedNode[]): void {
  const { node } = placed;
  if (node.version !== version) return;
  written.push(placed);
  if (node.kind === 'bucket') return;
  for (let slot = 0; slot < PAGE_SLOTS; slot++) {
    const child = node.children[slot];
    if (child === undefined || node.versions[slot] !== version) continue;
    const path = child.kind === 'page' ? child.path : (child.leaves[0] as Leaf).key;
    gatherWritten(version, { node: child, slotDepth: node.depth + 1, path }, written);
  }
}

/** The root of the subtree of a shard that lies in the tree's own. */
export function subtreeRootAt(source: NodeSource, root: TreeRoot, shard: ChainId): Bytes32 {
  invariant(source.kind === 'account' && contains(source.subtree.shard, shard), 'the subtree is one of this tree');
  const target = subtreeOf(shard);
  let node = rootNode(source, root);
  let depth = source.subtree.rootDepth;
  while (node !== undefined && node.kind === 'page' && target.depth - PAGE_LEVELS * depth > PAGE_LEVELS) {
    node = childNode(source, node, nibbleAt(target.path, depth), target.path);
    depth++;
  }
  return hashWithin(node, depth, target);
}

/** The hash of a shard's root from the node at half-byte `depth` that it lies in, or is. */
export function hashWithin(node: TreeNode | undefined, depth: number, { depth: bitDepth, path }: Subtree): Bytes32 {
  if (node === undefined) return ZERO_32;
  const levels = bitDepth - PAGE_LEVELS * depth;
  if (levels === 0) return hashAtSlot(node, depth);
  invariant(node.kind === 'page', 'the fixed levels of the account tree are pages');
  return pageHash(node, (1 << levels) | (nibbleAt(path, depth) >>> (PAGE_LEVELS - levels)));
}
