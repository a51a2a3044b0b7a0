// Where the state's rows lie in the node's one database: under first bytes 0x10 to 0x1f, by state key only and never by chain, so that
// a split or merge of shards moves no row. Rows of history begin with the height: one block's rows lie together, are written in order,
// and are pruned from the front.

import { uint64At, uint64ToBytes } from '../primitives/bytes.ts';
import type { Bytes32, Height } from '../primitives/ids.ts';

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
  /** The tree of each version. */
  root: 0x14,
  /** Keys of the nodes that a version made superfluous. */
  stale: 0x15,
  /** Old and new values of what a version changed: version, first state key in the row. */
  change: 0x16,
  /** Which version is the committed one. */
  committed: 0x17,
  /** Which version is the oldest one kept. */
  oldest: 0x18,
  /** Below which version pruning has left nothing. */
  pruned: 0x19,
} as const;

/** The row that says which version is the committed one. */
export const COMMITTED_KEY = Uint8Array.of(STATE_ROW.committed);
/** The row that says which is the oldest one kept: by itself, since pruning and commits are written in any order. */
export const OLDEST_KEY = Uint8Array.of(STATE_ROW.oldest);

/** The row that says below which version pruning has left nothing: where it goes on. */
export const PRUNED_KEY = Uint8Array.of(STATE_ROW.pruned);

const HEIGHT_BYTES = 8;
/** Keys are cut from chunks: they are made by the thousand, and forgotten together; a small array of its own takes twice the memory. */
const CHUNK_BYTES = 16 * 1024;
const KEY_BYTES = 32;

export function leafRowKey(stateKey: Bytes32): Uint8Array {
  return join(STATE_ROW.leaf, stateKey);
}

export function slotRowKey(stateKey: Bytes32, slotKey: Bytes32): Uint8Array {
  return join(STATE_ROW.slot, stateKey, slotKey);
}

export function codeRowKey(codeHash: Bytes32): Uint8Array {
  return join(STATE_ROW.code, codeHash);
}

export function rootRowKey(height: Height): Uint8Array {
  return join(STATE_ROW.root, uint64ToBytes(height));
}

export function staleRowKey(height: Height): Uint8Array {
  return join(STATE_ROW.stale, uint64ToBytes(height));
}

export function changeRowKey(height: Height, firstKey: Bytes32): Uint8Array {
  return join(STATE_ROW.change, uint64ToBytes(height), firstKey);
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
    key[offset] = 1;
    key.set(tree, offset + 1);
  }
  offset += treeBytes;
  key[offset++] = depth;
  for (let i = 0; i < pathBytes; i++) key[offset + i] = path[i] as number;
  if (depth % 2 === 1) key[offset + pathBytes - 1] = (key[offset + pathBytes - 1] as number) & 0xf0;
  return key;
}

/** The height that stands at the front of a history row's key. */
export function heightOfRowKey(key: Uint8Array): Height {
  return uint64At(key, 1);
}

/** All rows of one kind of history from `from` on and below `to`. */
export function historyRange(kind: number, from: Height, to: Height): { readonly gte: Uint8Array; readonly lt: Uint8Array } {
  return { gte: join(kind, uint64ToBytes(from)), lt: join(kind, uint64ToBytes(to)) };
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
