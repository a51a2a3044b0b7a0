// Where the state's rows lie in the node's one database: under first bytes 0x10 to 0x1f, by state key only and never by chain, so that
// a split or merge of shards moves no row. What is no state, but says how far a shard is, ends with the shard's id (but for shard 1, the
// whole state). Rows of history begin with the height: one block's rows lie together, are written in order, and are pruned from the front.

import { concatBytes, uint64At, uint64ToBytes } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import { type Bytes32, type ChainId, type Height, ROOT_SHARD } from '../primitives/ids.ts';
import { contains } from '../protocol/shard-id.ts';
import { holdsKey, type Subtree, subtreeOf } from './subtree.ts';

/** First bytes of the state's rows. */
export const STATE_ROW = {
  /** Current accounts and pointers: state key → tag and leaf row. */
  leaf: 0x10,
  /** Current storage: account's state key, slot key → value without leading zeros. */
  slot: 0x11,
  /** Code by its hash. */
  code: 0x12,
  /** Tree nodes: version, tree, place. */
  node: 0x13,
  /** The tree of each version of a shard. */
  root: 0x14,
  /** Keys of the nodes that a version of a shard made superfluous. */
  stale: 0x15,
  /** Old and new values of what a version changed: version, first state key in the row. */
  change: 0x16,
  /** Which version of a shard is the committed one. */
  committed: 0x17,
  /** Which version is the oldest one kept. */
  oldest: 0x18,
  /** Below which version pruning has left nothing. */
  pruned: 0x19,
  /** What is left of a shard that was split or merged at a height: its versions before. */
  closed: 0x1a,
  /** At which height a shard was last split or merged. */
  lastClosed: 0x1b,
  /** There may be rows of the shard that count for nothing: of an import or a removal that was not finished. */
  unclean: 0x1c,
} as const;

const HEIGHT_BYTES = 8;
const SHARD_BYTES = 4;
/** What stands before the place in a node's key: nothing (0) in the account tree, or one of these. */
const STORAGE_TREE = 1;
const SHARD_PAGE = 2;
const AFTER_HEIGHT = 1 + HEIGHT_BYTES;
/** Keys are cut from chunks: they are made by the thousand, and forgotten together; a small array of its own takes twice the memory. */
const CHUNK_BYTES = 16 * 1024;
const KEY_BYTES = 32;
/** Two state keys, and one byte more. */
const ABOVE_KEYS_BYTES = 65;
const NO_BYTES = new Uint8Array();

export function leafRowKey(stateKey: Bytes32): Uint8Array {
  return join(STATE_ROW.leaf, stateKey);
}

export function slotRowKey(stateKey: Bytes32, slotKey: Bytes32): Uint8Array {
  return join(STATE_ROW.slot, stateKey, slotKey);
}

export function codeRowKey(codeHash: Bytes32): Uint8Array {
  return join(STATE_ROW.code, codeHash);
}

export function rootRowKey(height: Height, shard: ChainId): Uint8Array {
  return join(STATE_ROW.root, uint64ToBytes(height), shardBytes(shard));
}

export function staleRowKey(height: Height, shard: ChainId): Uint8Array {
  return join(STATE_ROW.stale, uint64ToBytes(height), shardBytes(shard));
}

/** The shard of a root's or a stale list's row. */
export function shardOfHistoryRow(key: Uint8Array): ChainId {
  return key.length === AFTER_HEIGHT ? ROOT_SHARD : shardAt(key, AFTER_HEIGHT);
}

/** The row that says which version is the committed one. */
export function committedRowKey(shard: ChainId): Uint8Array {
  return join(STATE_ROW.committed, shardBytes(shard));
}

/** The shard of such a row. */
export function shardOfCommittedRow(key: Uint8Array): ChainId {
  return key.length === 1 ? ROOT_SHARD : shardAt(key, 1);
}

/** The row that says which is the oldest one kept: by itself, since pruning and commits are written in any order. */
export function oldestRowKey(shard: ChainId): Uint8Array {
  return join(STATE_ROW.oldest, shardBytes(shard));
}

/** The row that says below which version pruning has left nothing: where it goes on. */
export function prunedRowKey(shard: ChainId): Uint8Array {
  return join(STATE_ROW.pruned, shardBytes(shard));
}

export function closedRowKey(shard: ChainId, end: Height): Uint8Array {
  return join(STATE_ROW.closed, idBytes(shard), uint64ToBytes(end));
}

/** Of which shard, closed at which height, such a row is. */
export function placeOfClosedRow(key: Uint8Array): { readonly shard: ChainId; readonly end: Height } {
  return { shard: shardAt(key, 1), end: uint64At(key, 1 + SHARD_BYTES) };
}

export function lastClosedRowKey(shard: ChainId): Uint8Array {
  return join(STATE_ROW.lastClosed, idBytes(shard));
}

export function uncleanRowKey(shard: ChainId): Uint8Array {
  return join(STATE_ROW.unclean, idBytes(shard));
}

/** The shard of such a row. */
export function shardOfUncleanRow(key: Uint8Array): ChainId {
  return shardAt(key, 1);
}

export function changeRowKey(height: Height, firstKey: Bytes32): Uint8Array {
  return join(STATE_ROW.change, uint64ToBytes(height), firstKey);
}

/** The row of the page in which a shard's root lies, where it is not the page's own root. */
export function shardPageRowKey(version: Height, shard: ChainId): Uint8Array {
  return join(STATE_ROW.node, uint64ToBytes(version), Uint8Array.of(SHARD_PAGE, ...idBytes(shard)));
}

/** True where a node's row is of the shard's subtree. */
export function isNodeRowOf(subtree: Subtree, key: Uint8Array): boolean {
  const tree = key[AFTER_HEIGHT];
  if (tree === STORAGE_TREE) return holdsKey(subtree, key, AFTER_HEIGHT + 1);
  if (tree === SHARD_PAGE) return contains(subtree.shard, shardAt(key, AFTER_HEIGHT + 1));
  // A place above the shard's root is not its own; one of less than two bytes has zeros after them.
  if (4 * (key[AFTER_HEIGHT + 1] as number) < subtree.depth) return false;
  return holdsKey(subtree, Uint8Array.of(key[AFTER_HEIGHT + 2] ?? 0, key[AFTER_HEIGHT + 3] ?? 0));
}

/** True where a change row is of the shard. */
export function isChangeRowOf(subtree: Subtree, key: Uint8Array): boolean {
  return holdsKey(subtree, key, AFTER_HEIGHT);
}

/** A node's row: `tree` is the owner's state key for a storage tree; the place is the first `depth` half-bytes of `path`. */
export function nodeRowKey(version: Height, tree: Bytes32 | undefined, depth: number, path: Uint8Array): Uint8Array {
  const treeBytes = tree === undefined ? 1 : 1 + KEY_BYTES;
  const pathBytes = (depth + 1) >>> 1;
  const key = newKey(1 + HEIGHT_BYTES + treeBytes + 1 + pathBytes);
  key[0] = STATE_ROW.node;
  let rest = version;
  for (let at = HEIGHT_BYTES; rest > 0; at--) {
    key[at] = rest & 0xff;
    rest = Math.floor(rest / 256);
  }
  let offset = 1 + HEIGHT_BYTES;
  if (tree !== undefined) {
    key[offset] = STORAGE_TREE;
    key.set(tree, offset + 1);
  }
  offset += treeBytes;
  key[offset++] = depth;
  for (let i = 0; i < pathBytes; i++) key[offset + i] = path[i] as number;
  if (depth % 2 === 1) key[offset + pathBytes - 1] = (key[offset + pathBytes - 1] as number) & 0xf0;
  return key;
}

/** A range of rows without a limit. */
export interface KeyRange {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
}

/** All rows of one kind of history from `from` on and below `to`, of all shards. */
export function historyRange(kind: number, from: Height, to: Height): KeyRange {
  return { gte: join(kind, uint64ToBytes(from)), lt: join(kind, uint64ToBytes(to)) };
}

/** The change rows of a shard from height `from` on and below `to`: they lie together only height by height, unless it is the whole state. */
export function* changeRanges(subtree: Subtree, from: Height, to: Height): Generator<KeyRange> {
  if (subtree.depth === 0) {
    if (from < to) yield historyRange(STATE_ROW.change, from, to);
    return;
  }
  for (let height = from; height < to; height++) yield keysOf(subtree, join(STATE_ROW.change, uint64ToBytes(height)));
}

/** The current rows of one kind (accounts, slots) of a shard. */
export function currentRange(subtree: Subtree, kind: number): KeyRange {
  return keysOf(subtree, Uint8Array.of(kind));
}

/** All rows of one kind. */
export function kindRange(kind: number): KeyRange {
  return { gte: Uint8Array.of(kind), lt: Uint8Array.of(kind + 1) };
}

// The rows whose keys go on after `prefix` with a state key of the shard.
function keysOf({ shard, depth, path }: Subtree, prefix: Uint8Array): KeyRange {
  const gte = concatBytes(prefix, path.subarray(0, 2));
  const isLast = shard + 1 === 2 ** (depth + 1);
  // No key is above so many bytes of 0xff.
  const above = isLast ? new Uint8Array(ABOVE_KEYS_BYTES).fill(0xff) : subtreeOf(shard + 1).path.subarray(0, 2);
  return { gte, lt: concatBytes(prefix, above) };
}

// None for the whole state, whose rows were there before there were shards.
function shardBytes(shard: ChainId): Uint8Array {
  return shard === ROOT_SHARD ? NO_BYTES : idBytes(shard);
}

function idBytes(shard: ChainId): Uint8Array {
  return Uint8Array.of(shard >>> 24, (shard >>> 16) & 0xff, (shard >>> 8) & 0xff, shard & 0xff);
}

function shardAt(key: Uint8Array, at: number): ChainId {
  invariant(key.length >= at + SHARD_BYTES, 'a shard is named whole');
  return ((key[at] as number) << 24) | ((key[at + 1] as number) << 16) | ((key[at + 2] as number) << 8) | (key[at + 3] as number);
}

let chunk = new Uint8Array(CHUNK_BYTES);
let cut = 0;

// All zero: no part of a chunk is handed out twice.
function newKey(length: number): Uint8Array {
  if (cut + length > CHUNK_BYTES) {
    chunk = new Uint8Array(CHUNK_BYTES);
    cut = 0;
  }
  const key = chunk.subarray(cut, cut + length);
  cut += length;
  return key;
}

function join(kind: number, first: Uint8Array, second?: Uint8Array): Uint8Array {
  const key = newKey(1 + first.length + (second?.length ?? 0));
  key[0] = kind;
  key.set(first, 1);
  if (second !== undefined) key.set(second, 1 + first.length);
  return key;
}
