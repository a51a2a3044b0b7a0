// What the tree is made of in memory, and how its nodes hash (protocol, section 4).
//
// The tree that the hashes describe is binary. It is kept in pages of four levels: a page has sixteen slots below it and the fifteen
// hashes above them, so that a touched account costs one or two rows instead of one for each level (docs/decisions/010-tree-in-pages.md has the figures).
// A subtree with few leaves is a bucket: the leaves themselves, whose few inner hashes are computed when they are needed. Which of
// the two a subtree is follows from its number of leaves alone, so equal content is an equal structure, whatever its history.
//
// Nodes are immutable but for `children` and `touched`, which only remember what was loaded. A page in a collapsing region stands
// where its leaves first differ (`depth`); the half-bytes between its slot and there are skipped and hashed as a chain.
import { hash64 } from '../crypto/sha256.ts';
import { ZERO_32 } from '../primitives/bytes.ts';
import type { Bytes32, Height } from '../primitives/ids.ts';
import type { Leaf } from './leaf.ts';

/** Slots of a page: four levels below its root. */
export const PAGE_SLOTS = 16;
/** Rows that a page's row adds to at most: reading the page takes that many reads more. */
export const PAGE_BASES_MAX = 6;
/** A page's row with more changed slots than this holds all of them. */
export const ADDED_SLOTS_MAX = 8;
/** Leaves that a bucket holds at most; with more, a subtree is a page. */
export const BUCKET_LEAVES_MAX = 4;
/** Half-bytes of depth down to which the account tree always hashes two children: 16 levels, the deepest a shard may be. */
export const FIXED_DEPTH = 4;
/** Half-bytes of a key. */
export const KEY_DEPTH = 64;

const HASH_BYTES = 32;
/** 32-bit words of a hash. */
export const HASH_WORDS = 8;

/** Which rule of collapsing the tree follows: the account tree hashes two children down to depth 15, storage trees collapse everywhere. */
export type TreeKind = 'account' | 'storage';

/** Sixteen subtrees and the hashes above them. */
export interface Page {
  readonly kind: 'page';
  /** The height whose block wrote it. */
  readonly version: Height;
  /** Half-bytes of the path that its leaves share. */
  readonly depth: number;
  /** A key of which the first `depth` half-bytes are that path. */
  readonly path: Bytes32;
  readonly leafCount: number;
  /**
   * 32 hashes of eight words in the order of a heap: 1 is the root, 2 and 3 its children, 16 to 31 the slots; 0 is unused. So the
   * two children of a hash lie side by side. Words, because they are copied one by one, in memory order whatever the machine's.
   */
  readonly hashes: Uint32Array;
  /** Leaves below each slot. */
  readonly counts: readonly number[];
  /** The version that wrote the node in each slot. */
  readonly versions: readonly Height[];
  /** The nodes in the slots as far as they are in memory. */
  readonly children: (TreeNode | undefined)[];
  /** The versions, newest first, of the rows at this place that its own row adds to; none where its row holds the whole page. */
  readonly bases: readonly Height[];
  /** Bit i: slot i is another one than in the row that its own adds to. */
  readonly changedSlots: number;
  /** The sweep (node-cache.ts) at which it was last passed through. */
  touched: number;
}

/** One to four leaves in order of their keys. */
export interface Bucket {
  readonly kind: 'bucket';
  readonly version: Height;
  readonly leaves: readonly Leaf[];
  touched: number;
}

/** A node of the stored tree. */
export type TreeNode = Page | Bucket;

/** A page. All are made here: objects made in one place have one shape, which is what makes reading their fields fast. */
export function pageOf(parts: Omit<Page, 'kind'>): Page {
  const { version, depth, path, leafCount, hashes, counts, versions, children, bases, changedSlots, touched } = parts;
  return { kind: 'page', version, touched, depth, path, leafCount, hashes, counts, versions, children, bases, changedSlots };
}

/** A bucket. All are made here, as pages are in one place. */
export function bucketOf(version: Height, leaves: readonly Leaf[], touched: number): Bucket {
  return { kind: 'bucket', version, touched, leaves };
}

/** Where a whole tree is. */
export interface TreeRoot {
  readonly hash: Bytes32;
  readonly version: Height;
  readonly leafCount: number;
  /** The root node, once loaded; an empty tree has none. */
  node: TreeNode | undefined;
}

/** What a version of a tree has no use for any more of the versions before it. */
export interface Superseded {
  /** Keys of their rows. */
  readonly keys: Uint8Array[];
  nodes: number;
}

/** The tree without leaves. */
export const EMPTY_TREE: TreeRoot = { hash: ZERO_32, version: 0, leafCount: 0, node: undefined };

/** Half-byte `depth` of a key. */
export function nibbleAt(key: Uint8Array, depth: number): number {
  const byte = key[depth >>> 1] as number;
  return depth % 2 === 0 ? byte >>> 4 : byte & 0x0f;
}

/** Bit `depth` of a key, the highest of the first byte being 0. */
export function bitAt(key: Uint8Array, depth: number): number {
  return ((key[depth >>> 3] as number) >>> (7 - (depth & 7))) & 1;
}

/** Half-bytes that two keys share from the front, from `from` on known to be so. */
export function sharedNibbles(a: Uint8Array, b: Uint8Array, from: number): number {
  let depth = from;
  while (depth < KEY_DEPTH && nibbleAt(a, depth) === nibbleAt(b, depth)) depth++;
  return depth;
}

/** Whether a node at this depth of half-bytes is hashed without collapsing. */
export function isFixed(kind: TreeKind, depth: number): boolean {
  return kind === 'account' && depth < FIXED_DEPTH;
}

/** Leaves of the subtree below a node. */
export function leafCountOf(node: TreeNode | undefined): number {
  if (node === undefined) return 0;
  return node.kind === 'page' ? node.leafCount : node.leaves.length;
}

/** The hash of the subtree below `node` at half-byte `depth`, where the node's slot is: skipped levels are hashed in. */
export function hashAtSlot(node: TreeNode | undefined, depth: number): Bytes32 {
  if (node === undefined) return ZERO_32;
  if (node.kind === 'bucket') return hashOfLeaves(node.leaves, 0, node.leaves.length, 4 * depth);
  return chainUp(pageHash(node, 1), node.path, 4 * node.depth, 4 * depth);
}

/** Hash `index` of a page. */
export function pageHash(page: Page, index: number): Bytes32 {
  return hashBytes(page.hashes).slice(index * HASH_BYTES, (index + 1) * HASH_BYTES);
}

/** The hash at bit depth `bitDepth` of the subtree with leaves [from, to), all of which share the bits above. */
export function hashOfLeaves(leaves: readonly Leaf[], from: number, to: number, bitDepth: number): Bytes32 {
  if (from === to) return ZERO_32;
  const first = leaves[from] as Leaf;
  if (to - from === 1) return first.hash;
  const last = leaves[to - 1] as Leaf;
  let split = bitDepth;
  while (bitAt(first.key, split) === bitAt(last.key, split)) split++;
  const middle = firstWithBit(leaves, from, to, split);
  const left = hashOfLeaves(leaves, from, middle, split + 1);
  const right = hashOfLeaves(leaves, middle, to, split + 1);
  return chainOn(hash64(left, right), first.key, split, bitDepth);
}

/** The first leaf of [from, to) whose key has bit `bitDepth` set, in a run that shares all bits above. */
export function firstWithBit(leaves: readonly Leaf[], from: number, to: number, bitDepth: number): number {
  let middle = from;
  while (middle < to && bitAt((leaves[middle] as Leaf).key, bitDepth) === 0) middle++;
  return middle;
}

/** Hashes a subtree of two leaves or more, whose root is at bit depth `from`, upwards beside empty siblings to bit depth `to`. */
export function chainUp(hash: Bytes32, path: Uint8Array, from: number, to: number): Bytes32 {
  return from <= to ? hash : chainOn(hash.slice(), path, from, to);
}

// The same over `hash` itself.
function chainOn(hash: Bytes32, path: Uint8Array, from: number, to: number): Bytes32 {
  for (let depth = from - 1; depth >= to; depth--) {
    if (bitAt(path, depth) === 0) hash64(hash, ZERO_32, hash);
    else hash64(ZERO_32, hash, hash);
  }
  return hash;
}

/** Room for a page's hashes, all empty. */
export function emptyHashes(): Uint32Array {
  return new Uint32Array(2 * PAGE_SLOTS * HASH_WORDS);
}

/** A page's hashes as bytes, not copied. */
export function hashBytes(hashes: Uint32Array): Uint8Array {
  return new Uint8Array(hashes.buffer, hashes.byteOffset, hashes.byteLength);
}
