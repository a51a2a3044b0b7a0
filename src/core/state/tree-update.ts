// Making the next version of a tree from one version and a sorted list of changed leaves. Every touched node is hashed once; the nodes
// of the version before are left as they are, and those that the new version no longer has are named, for pruning.
import { compareBytes } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, Height } from '../primitives/ids.ts';
import type { Leaf } from './leaf.ts';
import { childNode, keyOfNode, type NodeSource, pathThrough, rootNode, type TreePlace } from './node-source.ts';
import { PageHasher } from './page-hasher.ts';
import {
  ADDED_SLOTS_MAX,
  BUCKET_LEAVES_MAX,
  type Bucket,
  bucketOf,
  EMPTY_TREE,
  emptyHashes,
  isFixed,
  leafCountOf,
  nibbleAt,
  PAGE_BASES_MAX,
  PAGE_SLOTS,
  type Page,
  pageOf,
  type Superseded,
  sharedNibbles,
  type TreeNode,
  type TreeRoot,
} from './tree-node.ts';
import { hashWithin, type PlacedNode } from './tree-read.ts';

const NO_BASES: readonly Height[] = [];

/** A leaf that is new or has another value, or (undefined) is gone. */
export interface LeafChange {
  readonly key: Bytes32;
  readonly leaf: Leaf | undefined;
}

/** What making a version needs and gathers. */
interface Update {
  readonly source: NodeSource;
  readonly version: Height;
  readonly changes: readonly LeafChange[];
  readonly superseded: Superseded;
  readonly hasher: PageHasher;
}

/** The order that updates need, without equal keys. */
export function sortChanges<T extends LeafChange>(changes: T[]): T[] {
  return changes.sort((a, b) => compareKeys(a.key, b.key));
}

/**
 * The tree after `changes` (sorted, one for each key) at `version`, which must be above all versions in the tree. What the
 * tree no longer needs is added to `superseded`.
 */
export function updateTree(
  source: NodeSource,
  root: TreeRoot,
  version: Height,
  changes: readonly LeafChange[],
  superseded: Superseded,
): TreeRoot {
  if (changes.length === 0) return root;
  const update: Update = { source, version, changes, superseded, hasher: new PageHasher(source.kind) };
  const before = rootNode(source, root);
  const { subtree } = source;
  const node = updateNode(update, before, subtree.rootDepth, 0, changes.length);
  update.hasher.run();
  if (node === undefined) return EMPTY_TREE;
  return { hash: hashWithin(node, subtree.rootDepth, subtree), version: node.version, leafCount: leafCountOf(node), node };
}

// The node at a slot at half-byte `depth` after changes [from, to), all of which lead to the slot.
function updateNode(update: Update, node: TreeNode | undefined, depth: number, from: number, to: number): TreeNode | undefined {
  if (isFixed(update.source.kind, depth)) {
    invariant(node?.kind !== 'bucket', 'the fixed levels of the account tree are pages');
    return updatePage(update, node, depth, depth, from, to);
  }
  if (node === undefined || node.kind === 'bucket') return updateBucket(update, node, depth, from, to);
  return updateCollapsingPage(update, node, depth, from, to);
}

function updateBucket(update: Update, bucket: Bucket | undefined, depth: number, from: number, to: number): TreeNode | undefined {
  const leaves = mergeLeaves(bucket?.leaves ?? [], update.changes, from, to);
  if (bucket !== undefined) markStale(update, bucket, depth, (update.changes[from] as LeafChange).key);
  return buildNode(update, leaves, 0, leaves.length, depth);
}

// A page that may have skipped levels: changes that leave its path put a page above it (which goes again if nothing is there after all).
function updateCollapsingPage(update: Update, page: Page, depth: number, from: number, to: number): TreeNode | undefined {
  const fork = forkDepth(update.changes, from, to, page, depth);
  if (fork === page.depth) return updatePage(update, page, depth, page.depth, from, to);
  // The page moves one or more levels down, to a row of its own under the new page; changes below it are made on the way.
  markStale(update, page, depth, page.path);
  const slot = nibbleAt(page.path, fork);
  const moved = movedPage(update, page);
  const counts = new Array<number>(PAGE_SLOTS).fill(0);
  const versions = new Array<number>(PAGE_SLOTS).fill(0);
  const children = new Array<TreeNode | undefined>(PAGE_SLOTS).fill(undefined);
  const hashes = emptyHashes();
  counts[slot] = page.leafCount;
  versions[slot] = update.version;
  children[slot] = moved;
  const touched = update.source.use.generation;
  const { path, leafCount } = page;
  const { version } = update;
  const whole = { bases: NO_BASES, changedSlots: 0 };
  const above = pageOf({ version, depth: fork, path, leafCount, hashes, counts, versions, children, ...whole, touched });
  return updatePage(update, above, depth, fork, from, to, 1 << slot);
}

// The same page in another place, where it has a row of its own.
function movedPage(update: Update, page: Page): Page {
  return pageOf({ ...page, version: update.version, children: page.children.slice(), bases: NO_BASES, changedSlots: 0 });
}

// Where the first change leaves the page's path; the page's own depth when none does.
function forkDepth(changes: readonly LeafChange[], from: number, to: number, page: Page, depth: number): number {
  let fork = page.depth;
  for (let i = from; i < to && fork > depth; i++) fork = Math.min(fork, sharedNibbles((changes[i] as LeafChange).key, page.path, depth));
  return fork;
}

// A page whose slots lie below half-byte `pageDepth`, after changes [from, to). `page` is undefined where the fixed levels had nothing.
function updatePage(
  update: Update,
  page: Page | undefined,
  depth: number,
  pageDepth: number,
  from: number,
  to: number,
  newSlots = 0,
): TreeNode | undefined {
  const { changes, source } = update;
  const fixed = isFixed(source.kind, depth);
  const path = page?.path ?? (changes[from] as LeafChange).key;
  const counts = page?.counts.slice() ?? new Array<number>(PAGE_SLOTS).fill(0);
  const versions = page?.versions.slice() ?? new Array<number>(PAGE_SLOTS).fill(0);
  const children = page?.children.slice() ?? new Array<TreeNode | undefined>(PAGE_SLOTS).fill(undefined);
  const hashes = page?.hashes.slice() ?? emptyHashes();
  let dirtySlots = newSlots;
  let start = from;
  while (start < to) {
    const { key } = changes[start] as LeafChange;
    const slot = nibbleAt(key, pageDepth);
    let end = start + 1;
    while (end < to && nibbleAt((changes[end] as LeafChange).key, pageDepth) === slot) end++;
    const before = page === undefined ? undefined : childNode(source, page, slot, key);
    const child = updateNode(update, before, pageDepth + 1, start, end);
    counts[slot] = leafCountOf(child);
    versions[slot] = child?.version ?? 0;
    children[slot] = child;
    dirtySlots |= 1 << slot;
    start = end;
  }
  const bases = page === undefined ? NO_BASES : basesOn(page, update.version, dirtySlots);
  if (page !== undefined && bases.length === 0) markStale(update, page, depth, (changes[from] as LeafChange).key);
  if (bases.length > 0) update.superseded.nodes++;
  const made = newPage(update, { depth: pageDepth, path, hashes, counts, versions, children, bases }, dirtySlots);
  if (made.leafCount === 0) {
    markStale(update, made, depth, (changes[from] as LeafChange).key);
    return undefined;
  }
  return fixed ? made : collapse(update, made, depth);
}

// The rows that a page's next row may add to: a few changed slots are a tenth of the page. Its own row stays then, and with it those that it
// adds to, until a row at this place holds the whole page again.
function basesOn(page: Page, version: Height, dirtySlots: number): readonly Height[] {
  const isWritten = page.version < version;
  if (!isWritten || page.bases.length >= PAGE_BASES_MAX || bitCount(dirtySlots) > ADDED_SLOTS_MAX) return NO_BASES;
  return [page.version, ...page.bases];
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}

// A page with few leaves is a bucket, and one with a single occupied slot is the page in it: what a subtree is follows from its leaves.
function collapse(update: Update, page: Page, depth: number): TreeNode {
  if (page.leafCount <= BUCKET_LEAVES_MAX) {
    const leaves: Leaf[] = [];
    markStale(update, page, depth, page.path);
    for (let slot = 0; slot < PAGE_SLOTS; slot++) gatherLeaves(update, page, slot, leaves);
    return bucketOf(update.version, leaves, page.touched);
  }
  const slot = page.counts.indexOf(page.leafCount);
  if (slot < 0) return page;
  const path = pathThrough(page, slot);
  const child = childNode(update.source, page, slot, path);
  invariant(child?.kind === 'page', 'a subtree with many leaves is a page');
  markStale(update, page, depth, page.path);
  markStale(update, child, page.depth + 1, path);
  return movedPage(update, child);
}

function gatherLeaves(update: Update, page: Page, slot: number, leaves: Leaf[]): void {
  if (page.counts[slot] === 0) return;
  const path = pathThrough(page, slot);
  const child = childNode(update.source, page, slot, path);
  if (child === undefined) return;
  markStale(update, child, page.depth + 1, path);
  invariant(child.kind === 'bucket', 'a subtree with few leaves is a bucket');
  leaves.push(...child.leaves);
}

// The node of a collapsing region that holds leaves [from, to), in a slot at half-byte `depth`.
function buildNode(update: Update, leaves: readonly Leaf[], from: number, to: number, depth: number): TreeNode | undefined {
  const { version, source } = update;
  if (from === to) return undefined;
  if (to - from <= BUCKET_LEAVES_MAX) return bucketOf(version, leaves.slice(from, to), source.use.generation);
  const first = leaves[from] as Leaf;
  const pageDepth = sharedNibbles(first.key, (leaves[to - 1] as Leaf).key, depth);
  const counts = new Array<number>(PAGE_SLOTS).fill(0);
  const versions = new Array<number>(PAGE_SLOTS).fill(0);
  const children = new Array<TreeNode | undefined>(PAGE_SLOTS).fill(undefined);
  const hashes = emptyHashes();
  let dirtySlots = 0;
  let start = from;
  while (start < to) {
    const slot = nibbleAt((leaves[start] as Leaf).key, pageDepth);
    let end = start + 1;
    while (end < to && nibbleAt((leaves[end] as Leaf).key, pageDepth) === slot) end++;
    const child = buildNode(update, leaves, start, end, pageDepth + 1);
    counts[slot] = end - start;
    versions[slot] = version;
    children[slot] = child;
    dirtySlots |= 1 << slot;
    start = end;
  }
  return newPage(update, { depth: pageDepth, path: first.key, hashes, counts, versions, children, bases: NO_BASES }, dirtySlots);
}

// A page of this version, to be hashed with the others.
function newPage(
  update: Update,
  parts: Pick<Page, 'depth' | 'path' | 'hashes' | 'counts' | 'versions' | 'children' | 'bases'>,
  dirtySlots: number,
): Page {
  const leafCount = parts.counts.reduce((sum, count) => sum + count, 0);
  const { version, source } = update;
  const { depth, path, hashes, counts, versions, children, bases } = parts;
  const fields = { depth, path, hashes, counts, versions, children, bases };
  const page = pageOf({ version, leafCount, ...fields, changedSlots: dirtySlots, touched: source.use.generation });
  update.hasher.add(page, dirtySlots);
  return page;
}

function mergeLeaves(leaves: readonly Leaf[], changes: readonly LeafChange[], from: number, to: number): Leaf[] {
  const merged: Leaf[] = [];
  let next = 0;
  for (let i = from; i < to; i++) {
    const change = changes[i] as LeafChange;
    let order = -1;
    while (next < leaves.length) {
      const leaf = leaves[next] as Leaf;
      order = compareKeys(leaf.key, change.key);
      if (order >= 0) break;
      merged.push(leaf);
      next++;
    }
    if (next < leaves.length && order === 0) next++;
    if (change.leaf !== undefined) merged.push(change.leaf);
  }
  while (next < leaves.length) merged.push(leaves[next++] as Leaf);
  return merged;
}

function markStale({ version, source, superseded }: Update, node: TreeNode, slotDepth: number, path: Uint8Array): void {
  supersede(superseded, node, version, source, { slotDepth, path });
}

/** Adds a node that `version` has no use for, and the rows that its own adds to. Those of this very version were never written. */
export function supersede(
  superseded: Superseded,
  node: TreeNode,
  version: Height,
  tree: TreePlace,
  { slotDepth, path }: Pick<PlacedNode, 'slotDepth' | 'path'>,
): void {
  if (node.version < version) {
    superseded.keys.push(keyOfNode(tree, node.version, slotDepth, path));
    superseded.nodes++;
  }
  if (node.kind === 'page') for (const base of node.bases) superseded.keys.push(keyOfNode(tree, base, slotDepth, path));
}

// Most keys differ in their first four bytes.
function compareKeys(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < 4; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return compareBytes(a, b);
}
