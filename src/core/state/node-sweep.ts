// Keeping the nodes in memory within a bound: what was not passed through for a while is let go, and read from its row when it is needed
// again. Time is counted in turns of nodes loaded. Pages stay longer than buckets: they are few, their hashes have to be computed when
// they are loaded, and all of a subtree's accounts need them. Only committed trees are swept, so every node let go is on disk.
import type { NodeUse } from './node-source.ts';
import { PAGE_SLOTS, type TreeNode, type TreeRoot } from './tree-node.ts';

/** Nodes of committed trees in memory at most; a page takes about 2 KB, a bucket 1 to 2: 100 MB, of which an idle chain uses next to nothing. */
export const NODES_IN_MEMORY_MAX = 65_536;
/** Reads that only prepare the next version load no more than this between two sweeps. */
export const NODES_LOADED_MAX = 2 * NODES_IN_MEMORY_MAX;
/** A sweep that keeps more than this lets everything go that this turn did not touch, and if that does not help, everything. */
const NODES_KEPT_MAX = 49_152;
/** Nodes loaded in one turn. */
const TURN_NODES = 8_192;
/** For how many turns a node is kept that nothing passes through. */
const PAGE_TURNS = 16;
const BUCKET_TURNS = 2;

/** Lets nodes of `trees` go if there are too many. */
export function sweepNodes(trees: Iterable<TreeRoot>, use: NodeUse): void {
  if (use.loaded >= use.turnAt) {
    use.generation++;
    use.turnAt = use.loaded + TURN_NODES;
  }
  if (use.loaded <= NODES_IN_MEMORY_MAX) return;
  const roots = [...new Set(trees)];
  let kept = dropUntouched(roots, { pages: use.generation - PAGE_TURNS, buckets: use.generation - BUCKET_TURNS });
  if (kept > NODES_KEPT_MAX) kept = dropUntouched(roots, { pages: use.generation, buckets: use.generation });
  if (kept > NODES_KEPT_MAX) kept = dropUntouched(roots, { pages: use.generation + 1, buckets: use.generation + 1 });
  use.loaded = kept;
  use.turnAt = kept + TURN_NODES;
  use.generation++;
}

/** The generations since which a node of each kind must have been passed through to stay. */
interface Since {
  readonly pages: number;
  readonly buckets: number;
}

function dropUntouched(roots: readonly TreeRoot[], since: Since): number {
  let kept = 0;
  for (const root of roots) {
    if (root.node === undefined) continue;
    if (isUntouched(root.node, since)) root.node = undefined;
    else kept += keepTouched(root.node, since);
  }
  return kept;
}

function keepTouched(node: TreeNode, since: Since): number {
  if (node.kind === 'bucket') return 1;
  let kept = 1;
  for (let slot = 0; slot < PAGE_SLOTS; slot++) {
    const child = node.children[slot];
    if (child === undefined) continue;
    if (isUntouched(child, since)) node.children[slot] = undefined;
    else kept += keepTouched(child, since);
  }
  return kept;
}

function isUntouched(node: TreeNode, since: Since): boolean {
  return node.touched < (node.kind === 'page' ? since.pages : since.buckets);
}
