// From where nodes that are not in memory come: the rows of one tree.
import { bytesToHex } from '../primitives/bytes.ts';
import { CoppiceError } from '../primitives/errors.ts';
import type { Bytes32, Height } from '../primitives/ids.ts';
import { nodeRowKey, shardPageRowKey } from './row-keys.ts';
import type { StateRows } from './state-rows.ts';
import type { Subtree } from './subtree.ts';
import { nibbleAt, type Page, type TreeKind, type TreeNode, type TreeRoot } from './tree-node.ts';
import { decodeNode } from './tree-rows.ts';

declare module '../primitives/errors.ts' {
  interface ErrorFacts {
    /** A node that a version names is not in the database: it was pruned while somebody still read the version, or the database is damaged. */
    'state/missing-node': { readonly version: Height; readonly key: string };
  }
}

/** Counts the nodes in memory, and marks what was passed through since the last sweep (node-sweep.ts). */
export interface NodeUse {
  loaded: number;
  generation: number;
  /** The count of nodes loaded at which the next generation begins. */
  turnAt: number;
}

/** Which tree: `owner` is the account's state key for a storage tree; of the account tree, `subtree` is the part that a shard has. */
export interface TreePlace {
  readonly owner: Bytes32 | undefined;
  readonly subtree: Subtree;
}

/** One tree's nodes on disk. */
export interface NodeSource extends TreePlace {
  readonly rows: StateRows;
  readonly kind: TreeKind;
  readonly use: NodeUse;
}

/** The tree's root node, loaded once. */
export function rootNode(source: NodeSource, root: TreeRoot): TreeNode | undefined {
  if (root.leafCount === 0) return undefined;
  root.node ??= loadNode(source, root.version, source.subtree.rootDepth, source.subtree.path);
  root.node.touched = source.use.generation;
  return root.node;
}

/** The node in a page's slot; `path` is a key that leads through it. */
export function childNode(source: NodeSource, page: Page, slot: number, path: Uint8Array): TreeNode | undefined {
  if (page.counts[slot] === 0) return undefined;
  let child = page.children[slot];
  if (child === undefined) {
    child = loadNode(source, page.versions[slot] as Height, page.depth + 1, path);
    page.children[slot] = child;
  }
  child.touched = source.use.generation;
  return child;
}

/** A key that leads through slot `slot` of a page. */
export function pathThrough(page: Page, slot: number): Uint8Array {
  const path = page.path.slice();
  const at = page.depth >>> 1;
  const byte = path[at] as number;
  path[at] = page.depth % 2 === 0 ? (slot << 4) | (byte & 0x0f) : (byte & 0xf0) | slot;
  return path;
}

/** Whether a key leads into a page: it shares the page's path. */
export function leadsInto(page: Page, key: Uint8Array, from: number): boolean {
  for (let depth = from; depth < page.depth; depth++) if (nibbleAt(page.path, depth) !== nibbleAt(key, depth)) return false;
  return true;
}

/** The key of a node's row. The page in which a shard's root lies has a row of its own: its neighbours have theirs for the same place. */
export function keyOfNode({ owner, subtree }: TreePlace, version: Height, slotDepth: number, path: Uint8Array): Uint8Array {
  const isShardPage = subtree.rootLevel !== 0 && slotDepth === subtree.rootDepth;
  return isShardPage ? shardPageRowKey(version, subtree.shard) : nodeRowKey(version, owner, slotDepth, path);
}

/** The node whose row `version` wrote at a place, read anew. */
export function loadNode(source: NodeSource, version: Height, slotDepth: number, path: Uint8Array): TreeNode {
  const rowOf = (rowVersion: Height): Uint8Array => {
    const key = keyOfNode(source, rowVersion, slotDepth, path);
    const row = source.rows.get(key);
    if (row === undefined) throw new CoppiceError('state/missing-node', { version: rowVersion, key: bytesToHex(key) });
    return row;
  };
  source.use.loaded++;
  return decodeNode(rowOf, version, source.kind, slotDepth, path);
}
