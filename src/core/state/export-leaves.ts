// Handing out a version of a shard as chunks (state-chunk.ts). Nodes are read from their rows one by one and forgotten again, so it takes no
// memory worth naming and leaves the caches as they are; between two chunks everything else runs. It begins anywhere, at the cost of one
// path down the tree: whoever asks goes on behind the last chunk that it has, at this node or another.
import { bytesEqual, bytesToHex, compareBytes } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, Height } from '../primitives/ids.ts';
import { committedValue, LEAF_TAG, type Leaf, slotOfRow, tagOf } from './leaf.ts';
import { leadsInto, loadNode, type NodeSource, pathThrough } from './node-source.ts';
import { codeRowKey } from './row-keys.ts';
import { CHUNK_BYTES, type ChunkLeaf, type ChunkSlot, codeHashOf, hasCode, StateChunk } from './state-chunk.ts';
import type { StateRows } from './state-rows.ts';
import { type Subtree, WHOLE_TREE } from './subtree.ts';
import { nibbleAt, PAGE_SLOTS, type Page, type TreeRoot } from './tree-node.ts';

/** Behind what an export begins: a leaf, and of an account's slots the last one; undefined: none of them yet. */
export interface ExportPosition {
  readonly key: Bytes32;
  readonly slot: Bytes32 | undefined;
}

/** A chunk in the making. */
interface Draft {
  readonly continues: boolean;
  readonly leaves: { readonly leaf: Omit<ChunkLeaf, 'slots'>; readonly slots: ChunkSlot[] }[];
  readonly codes: Uint8Array[];
  readonly codeNames: Set<string>;
  bytes: number;
}

/**
 * All leaves of a tree of a shard, or those behind a position; a chunk has at most `chunkBytes`, unless a single account with its code has
 * more. The chunks behind the end of a chunk are those that came after it.
 */
export async function* exportLeaves(
  rows: StateRows,
  subtree: Subtree,
  root: TreeRoot,
  chunkBytes: number,
  after?: ExportPosition,
): AsyncGenerator<Uint8Array> {
  const use = { loaded: 0, generation: 1, turnAt: 0 };
  const source: NodeSource = { rows, kind: 'account', owner: undefined, subtree, use };
  let draft = newDraft(false);
  for (const found of leavesFrom(source, root, after?.key)) {
    const leaf = { tag: tagOf(found.row), key: found.key, value: committedValue(found.row) };
    const continued = after !== undefined && bytesEqual(found.key, after.key) ? after : undefined;
    if (draft.leaves.length > 0 && draft.bytes + bytesOf(rows, draft, leaf) > chunkBytes) {
      yield encode(draft);
      draft = newDraft(false);
    }
    if (continued === undefined) begin(rows, draft, leaf);
    const storageTree = leaf.tag === LEAF_TAG.account ? found.record.storageTree : undefined;
    if (storageTree === undefined) continue;
    const storage: NodeSource = { rows, kind: 'storage', owner: found.key, subtree: WHOLE_TREE, use };
    for (const slot of leavesFrom(storage, storageTree, continued?.slot)) {
      if (continued?.slot !== undefined && bytesEqual(slot.key, continued.slot)) continue;
      if (draft.leaves.length === 0) {
        draft = newDraft(true);
        add(draft, leaf);
      }
      if (draft.bytes + CHUNK_BYTES.slot > chunkBytes && hasBegun(draft)) {
        yield encode(draft);
        draft = newDraft(true);
        add(draft, leaf);
      }
      draft.leaves.at(-1)?.slots.push({ key: slot.key, value: slotOfRow(slot.row) });
      draft.bytes += CHUNK_BYTES.slot;
    }
  }
  if (draft.leaves.length > 0) yield encode(draft);
}

// A chunk that continues storage has some of it.
function hasBegun({ continues, leaves }: Draft): boolean {
  return !continues || leaves.length > 1 || leaves[0]?.slots.length !== 0;
}

function newDraft(continues: boolean): Draft {
  return { continues, leaves: [], codes: [], codeNames: new Set(), bytes: CHUNK_BYTES.chunk };
}

function add(draft: Draft, leaf: Omit<ChunkLeaf, 'slots'>): void {
  draft.leaves.push({ leaf, slots: [] });
  draft.bytes += CHUNK_BYTES.leaf + leaf.value.length;
}

function begin(rows: StateRows, draft: Draft, leaf: Omit<ChunkLeaf, 'slots'>): void {
  const code = newCode(rows, draft, leaf);
  add(draft, leaf);
  if (code === undefined) return;
  draft.codes.push(code);
  draft.codeNames.add(bytesToHex(codeHashOf(leaf.value)));
  draft.bytes += CHUNK_BYTES.code + code.length;
}

function bytesOf(rows: StateRows, draft: Draft, leaf: Omit<ChunkLeaf, 'slots'>): number {
  const code = newCode(rows, draft, leaf);
  return CHUNK_BYTES.leaf + leaf.value.length + (code === undefined ? 0 : CHUNK_BYTES.code + code.length);
}

// The account's code, unless the chunk has it.
function newCode(rows: StateRows, draft: Draft, leaf: Omit<ChunkLeaf, 'slots'>): Uint8Array | undefined {
  if (!hasCode(leaf)) return undefined;
  const hash = codeHashOf(leaf.value);
  if (draft.codeNames.has(bytesToHex(hash))) return undefined;
  const code = rows.get(codeRowKey(hash));
  invariant(code !== undefined, 'the code of an account is stored');
  return code;
}

function encode({ continues, leaves, codes }: Draft): Uint8Array {
  return StateChunk.serialize({ continues, leaves: leaves.map(({ leaf, slots }) => ({ ...leaf, slots })), codes });
}

// In order of their keys, from this key on.
function* leavesFrom(source: NodeSource, root: Pick<TreeRoot, 'version' | 'leafCount'>, from: Bytes32 | undefined): Generator<Leaf> {
  if (root.leafCount > 0) yield* leavesBelow(source, root.version, source.subtree.rootDepth, source.subtree.path, from);
}

function* leavesBelow(
  source: NodeSource,
  version: Height,
  slotDepth: number,
  path: Uint8Array,
  from: Bytes32 | undefined,
): Generator<Leaf> {
  const node = loadNode(source, version, slotDepth, path);
  if (node.kind === 'bucket') {
    yield* from === undefined ? node.leaves : node.leaves.filter(({ key }) => compareBytes(key, from) >= 0);
    return;
  }
  const isOnTheWay = from !== undefined && leadsInto(node, from, 0);
  const first = isOnTheWay ? nibbleAt(from, node.depth) : isBelow(node, from) ? PAGE_SLOTS : 0;
  for (let slot = first; slot < PAGE_SLOTS; slot++) {
    if (node.counts[slot] === 0) continue;
    const cut = isOnTheWay && slot === first ? from : undefined;
    yield* leavesBelow(source, node.versions[slot] as Height, node.depth + 1, pathThrough(node, slot), cut);
  }
}

// Of a page that the key does not lead into, all keys are below it or above it.
function isBelow({ path }: Page, key: Bytes32 | undefined): boolean {
  return key !== undefined && compareBytes(path, key) < 0;
}
