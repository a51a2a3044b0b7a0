// How the leaves of a shard divide among its descendants, for the load in headers (protocol, section 6, "Adaptive layout"). Pages know how many
// leaves lie below each slot, so this reads a handful of nodes however large the shard is.
import type { Bytes32 } from '../primitives/ids.ts';
import { childNode, type NodeSource, rootNode } from './node-source.ts';
import { bitAt, nibbleAt, PAGE_SLOTS, type Page, type TreeRoot } from './tree-node.ts';

/** Levels below the shard that headers tell apart. */
const LOAD_LEVELS = 3;
const PAGE_LEVELS = 4;

/** Leaves of the descendants one, two and three levels below the shard, level by level, left to right. */
export function leafCountsBelow(source: NodeSource, root: TreeRoot): readonly number[] {
  const { depth, path } = source.subtree;
  const counts: number[] = [];
  for (let level = 1; level <= LOAD_LEVELS; level++) {
    for (let place = 0; place < 2 ** level; place++) {
      counts.push(leavesUnder(source, root, pathBelow(path, depth, level, place), depth + level));
    }
  }
  return counts;
}

// The lowest key of the descendant at `place` among those `level` levels below.
function pathBelow(path: Bytes32, depth: number, level: number, place: number): Bytes32 {
  const below = path.slice();
  for (let i = 0; i < level; i++) {
    const bit = depth + i;
    if (((place >>> (level - 1 - i)) & 1) === 1) below[bit >>> 3] = (below[bit >>> 3] as number) | (0x80 >>> (bit & 7));
  }
  return below;
}

// Leaves whose keys have the first `bits` bits of `path`.
function leavesUnder(source: NodeSource, root: TreeRoot, path: Bytes32, bits: number): number {
  let node = rootNode(source, root);
  let depth = source.subtree.rootDepth;
  while (node?.kind === 'page') {
    const pageBits = PAGE_LEVELS * node.depth;
    if (!sharesBits(node.path, path, PAGE_LEVELS * depth, Math.min(pageBits, bits))) return 0;
    if (pageBits >= bits) return node.leafCount;
    if (bits - pageBits <= PAGE_LEVELS) return leavesInSlots(node, path, bits - pageBits);
    depth = node.depth + 1;
    node = childNode(source, node, nibbleAt(path, depth - 1), path);
  }
  if (node === undefined) return 0;
  return node.leaves.filter(({ key }) => sharesBits(key, path, 0, bits)).length;
}

function leavesInSlots(page: Page, path: Bytes32, levels: number): number {
  const width = PAGE_SLOTS >>> levels;
  const from = nibbleAt(path, page.depth) & ~(width - 1);
  let leaves = 0;
  for (let slot = from; slot < from + width; slot++) leaves += page.counts[slot] as number;
  return leaves;
}

function sharesBits(a: Uint8Array, b: Uint8Array, from: number, to: number): boolean {
  for (let bit = from; bit < to; bit++) if (bitAt(a, bit) !== bitAt(b, bit)) return false;
  return true;
}
