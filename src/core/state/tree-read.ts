// Reading a version of a tree: one leaf, all leaves, a subtree's root.
import type { Bytes32 } from '../primitives/ids.ts';
import { bytesEqual, ZERO_32 } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Leaf } from './leaf.ts';
import { childNode, leadsInto, type NodeSource, pathThrough, rootNode } from './node-source.ts';
import { FIXED_DEPTH, hashAtSlot, nibbleAt, PAGE_SLOTS, pageHash, type TreeNode, type TreeRoot } from './tree-node.ts';

/** The leaf of `key`, or undefined. */
export function findLeaf(source: NodeSource, root: TreeRoot, key: Bytes32): Leaf | undefined {
  let node = rootNode(source, root);
  let depth = 0;
  while (node !== undefined && node.kind === 'page') {
    if (!leadsInto(node, key, depth)) return undefined;
    depth = node.depth + 1;
    node = childNode(source, node, nibbleAt(key, node.depth), key);
  }
  return node?.leaves.find((leaf) => bytesEqual(leaf.key, key));
}

/** A node of a walk with the place of its slot. */
export interface PlacedNode {
  readonly node: TreeNode;
  readonly slotDepth: number;
  readonly path: Uint8Array;
}

/** All nodes of a tree from the root down, left to right; `enter` false leaves a page's children out. */
export function* walkNodes(source: NodeSource, root: TreeRoot, enter: (node: TreeNode) => boolean): Generator<PlacedNode> {
  const node = rootNode(source, root);
  if (node !== undefined) yield* walkBelow(source, { node, slotDepth: 0, path: ZERO_32 }, enter);
}

function* walkBelow(source: NodeSource, placed: PlacedNode, enter: (node: TreeNode) => boolean): Generator<PlacedNode> {
  const { node } = placed;
  if (!enter(node)) return;
  yield placed;
  if (node.kind === 'bucket') return;
  for (let slot = 0; slot < PAGE_SLOTS; slot++) {
    if (node.counts[slot] === 0) continue;
    const path = pathThrough(node, slot);
    const child = childNode(source, node, slot, path);
    if (child !== undefined) yield* walkBelow(source, { node: child, slotDepth: node.depth + 1, path }, enter);
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
