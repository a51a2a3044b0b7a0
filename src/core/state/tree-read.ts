// Reading a version of a tree: one leaf, all leaves, a subtree's root.

import { bytesEqual, ZERO_32 } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, Height } from '../primitives/ids.ts';
import type { Leaf } from './leaf.ts';
import { childNode, leadsInto, type NodeSource, pathThrough, rootNode } from './node-source.ts';
import {
  FIXED_DEPTH,
  hashAtSlot,
  KEY_DEPTH,
  nibbleAt,
  PAGE_SLOTS,
  pageHash,
  sharedNibbles,
  type TreeNode,
  type TreeRoot,
} from './tree-node.ts';

/** The leaf of `key`, or undefined. */
export function findLeaf(source: NodeSource, root: TreeRoot, key: Bytes32): Leaf | undefined {
  let node = rootNode(source, root);
  let depth = 0;
  while (node !== undefined && node.kind === 'page') {
    if (!leadsInto(node, key, depth)) return undefined;
    depth = node.depth + 1;
    node = childNode(source, node, nibbleAt(key, node.depth), key);
  }
  return node === undefined ? undefined : leafIn(node.leaves, key);
}

/** What `peekLeaf` says where it would have to load a node. */
export const NOT_IN_MEMORY = 'not-in-memory';

/** The leaf of `key`, or undefined, if all nodes on its way are in memory. */
export function peekLeaf({ use }: NodeSource, root: TreeRoot, key: Bytes32): Leaf | undefined | typeof NOT_IN_MEMORY {
  if (root.leafCount === 0) return undefined;
  let { node } = root;
  let depth = 0;
  while (node !== undefined) {
    node.touched = use.generation;
    if (node.kind === 'bucket') return leafIn(node.leaves, key);
    if (!leadsInto(node, key, depth)) return undefined;
    const slot = nibbleAt(key, node.depth);
    if (node.counts[slot] === 0) return undefined;
    depth = node.depth + 1;
    node = node.children[slot];
  }
  return NOT_IN_MEMORY;
}

/** Whether no leaf but that of `key` has the first `nibbles` half-bytes of `key`. Where there are many, the answer may be false. */
export function isAloneIn(source: NodeSource, root: TreeRoot, key: Bytes32, nibbles: number): boolean {
  let node = rootNode(source, root);
  let depth = 0;
  while (node !== undefined && node.kind === 'page') {
    const end = Math.min(node.depth, nibbles);
    if (depth < end && sharedNibbles(node.path, key, depth) < end) return true;
    if (node.depth >= nibbles) return false;
    depth = node.depth + 1;
    node = childNode(source, node, nibbleAt(key, node.depth), key);
  }
  if (node === undefined) return true;
  for (const leaf of node.leaves) {
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
  if (node !== undefined) yield* walkBelow(source, { node, slotDepth: 0, path: ZERO_32 });
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
export function nodesWrittenBy(version: Height, root: TreeRoot): readonly PlacedNode[] {
  const written: PlacedNode[] = [];
  if (root.node !== undefined) gatherWritten(version, { node: root.node, slotDepth: 0, path: ZERO_32 }, written);
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

/** The root of the subtree at a generalized index (1 is the whole tree) of depth 0 to 16 of the account tree. */
export function subtreeRootAt(source: NodeSource, root: TreeRoot, generalizedIndex: number): Bytes32 {
  const bitDepth = 31 - Math.clz32(generalizedIndex);
  invariant(generalizedIndex >= 1 && bitDepth <= 4 * FIXED_DEPTH, 'a subtree that can be a shard is at depth 0 to 16');
  const path = new Uint8Array(32);
  const bits = generalizedIndex - 2 ** bitDepth;
  for (let depth = 0; depth < bitDepth; depth++) {
    if ((bits >>> (bitDepth - 1 - depth)) & 1) path[depth >>> 3] = (path[depth >>> 3] as number) | (0x80 >>> (depth & 7));
  }
  let node = rootNode(source, root);
  let depth = 0;
  while (node !== undefined && node.kind === 'page' && bitDepth - 4 * depth > 4) {
    node = childNode(source, node, nibbleAt(path, depth), path);
    depth++;
  }
  if (node === undefined) return ZERO_32;
  if (bitDepth === 4 * depth) return hashAtSlot(node, depth);
  invariant(node.kind === 'page', 'the fixed levels of the account tree are pages');
  const levels = bitDepth - 4 * depth;
  return pageHash(node, (1 << levels) | (nibbleAt(path, depth) >>> (4 - levels)));
}
