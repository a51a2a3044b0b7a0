// Handing out a version of a shard as chunks (state-chunk.ts). Nodes are read from their rows one by one and forgotten again, so it takes no
// memory worth naming and leaves the caches as they are; between two chunks everything else runs.
import { bytesToHex } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Height } from '../primitives/ids.ts';
import { committedValue, LEAF_TAG, type Leaf, slotOfRow, tagOf } from './leaf.ts';
import { loadNode, type NodeSource, pathThrough } from './node-source.ts';
import { codeRowKey } from './row-keys.ts';
import { CHUNK_BYTES, type ChunkLeaf, type ChunkSlot, codeHashOf, hasCode, StateChunk } from './state-chunk.ts';
import type { StateRows } from './state-rows.ts';
import { type Subtree, WHOLE_TREE } from './subtree.ts';
import { PAGE_SLOTS, type TreeRoot } from './tree-node.ts';

/** A chunk in the making. */
interface Draft {
  readonly continues: boolean;
  readonly leaves: { readonly leaf: Omit<ChunkLeaf, 'slots'>; readonly slots: ChunkSlot[] }[];
  readonly codes: Uint8Array[];
  readonly codeNames: Set<string>;
  bytes: number;
}

/** All leaves of a tree of a shard; a chunk has at most `chunkBytes`, unless a single account with its code has more. */
export async function* exportLeaves(rows: StateRows, subtree: Subtree, root: TreeRoot, chunkBytes: number): AsyncGenerator<Uint8Array> {
  const use = { loaded: 0, generation: 1, turnAt: 0 };
  const source: NodeSource = { rows, kind: 'account', owner: undefined, subtree, use };
  let draft = newDraft(false);
  for (const found of leavesOf(source, root)) {
    const leaf = { tag: tagOf(found.row), key: found.key, value: committedValue(found.row) };
    if (draft.leaves.length > 0 && draft.bytes + bytesOf(rows, draft, leaf) > chunkBytes) {
      yield encode(draft);
      draft = newDraft(false);
    }
    begin(rows, draft, leaf);
    const storageTree = leaf.tag === LEAF_TAG.account ? found.record.storageTree : undefined;
    if (storageTree === undefined) continue;
    const storage: NodeSource = { rows, kind: 'storage', owner: found.key, subtree: WHOLE_TREE, use };
    for (const slot of leavesOf(storage, storageTree)) {
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

// In order of their keys.
function* leavesOf(source: NodeSource, root: Pick<TreeRoot, 'version' | 'leafCount'>): Generator<Leaf> {
  if (root.leafCount > 0) yield* leavesBelow(source, root.version, source.subtree.rootDepth, source.subtree.path);
}

function* leavesBelow(source: NodeSource, version: Height, slotDepth: number, path: Uint8Array): Generator<Leaf> {
  const node = loadNode(source, version, slotDepth, path);
  if (node.kind === 'bucket') {
    yield* node.leaves;
    return;
  }
  for (let slot = 0; slot < PAGE_SLOTS; slot++) {
    if (node.counts[slot] === 0) continue;
    yield* leavesBelow(source, node.versions[slot] as Height, node.depth + 1, pathThrough(node, slot));
  }
}
