// Keeping the nodes in memory within a bound: what was not passed through since the last sweep is let go, and read from its row when
// it is needed again. Only committed trees are swept, so every node let go is on disk.
import type { NodeUse } from './node-source.ts';
import { PAGE_SLOTS, type TreeNode, type TreeRoot } from './tree-node.ts';

/** Nodes of committed trees in memory at most; a page takes about 2 KB, a bucket 1.2: 32 MB. */
export const NODES_IN_MEMORY_MAX = 24_576;
/** A sweep that keeps more than this lets everything go. */
const NODES_KEPT_MAX = 18_432;

/** Lets nodes of `trees` go if there are too many. */
export function sweepNodes(trees: Iterable<TreeRoot>, use: NodeUse): void {
  if (use.loaded <= NODES_IN_MEMORY_MAX) return;
  const roots = [...new Set(trees)];
  let kept = dropUntouched(roots, use.generation);
  use.generation++;
  if (kept > NODES_KEPT_MAX) kept = dropUntouched(roots, use.generation);
  use.loaded = kept;
}

function dropUntouched(roots: readonly TreeRoot[], generation: number): number {
  let kept = 0;
  for (const root of roots) {
    if (root.node === undefined) continue;
    if (root.node.touched < generation) root.node = undefined;
    else kept += keepTouched(root.node, generation);
  }
  return kept;
}

function keepTouched(node: TreeNode, generation: number): number {
  if (node.kind === 'bucket') return 1;
  let kept = 1;
  for (let slot = 0; slot < PAGE_SLOTS; slot++) {
    const child = node.children[slot];
    if (child === undefined) continue;
    if (child.touched < generation) node.children[slot] = undefined;
    else kept += keepTouched(child, generation);
  }
  return kept;
}
