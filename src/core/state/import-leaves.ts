// Taking in a version of a shard that another node hands out. Everything is foreign but the root that it must have, so what is wrong in order,
// place or storage is refused where it shows, and the rest by the root at the end. Rows are written as they come, with memory for one chunk;
// a mark says that they count for nothing until the version is committed.
//
// All nodes get the imported height as their version: a part adds leaves, and writes what it changes of the parts before over it.

import { keccak256 } from '../crypto/keccak.ts';
import { bytesEqual, compareBytes } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, Height } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { decodeAccountLeaf } from './account-codec.ts';
import { uncleanRow } from './drop-shard.ts';
import { accountLeaf, LEAF_TAG, pointerLeaf, slotLeaf } from './leaf.ts';
import type { NodeSource } from './node-source.ts';
import { codeRowKey, leafRowKey, slotRowKey } from './row-keys.ts';
import { type ChunkFault, type ChunkLeaf, decodeStateChunk, type StateChunk } from './state-chunk.ts';
import type { RowOperation, StateRows } from './state-rows.ts';
import { holdsKey, type Subtree, WHOLE_TREE } from './subtree.ts';
import { EMPTY_TREE, type TreeRoot } from './tree-node.ts';
import { type LeafChange, updateTree } from './tree-update.ts';
import { pushWritten } from './version-rows.ts';

/** What is to come of an import: the root is one that the receiver trusts. */
export interface ExpectedVersion {
  readonly height: Height;
  readonly root: Bytes32;
}

/** Why what another node handed out is not the version. */
export type ImportFault = ChunkFault | 'foreign-leaf' | 'wrong-storage' | 'wrong-root';

/** An account of which more slots may come. */
interface OpenAccount {
  readonly leaf: ChunkLeaf;
  readonly storage: TreeRoot;
  readonly lastSlot: Bytes32 | undefined;
}

/** How far an import has come. */
interface Progress {
  readonly rows: StateRows;
  readonly subtree: Subtree;
  readonly height: Height;
  tree: TreeRoot;
  open: OpenAccount | undefined;
  lastKey: Bytes32 | undefined;
  /** Of the chunk at hand. */
  changes: LeafChange[];
  operations: RowOperation[];
}

type Step = Verdict<undefined, ImportFault>;
const FINE: Step = accept(undefined);

/** Writes all rows of the version but those that say that it is there, and gives its tree if it is the expected one. */
export async function importLeaves(
  rows: StateRows,
  subtree: Subtree,
  { height, root }: ExpectedVersion,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  write: (operations: readonly RowOperation[]) => Promise<void>,
): Promise<Verdict<TreeRoot, ImportFault>> {
  const fresh = { open: undefined, lastKey: undefined, changes: [], operations: [] };
  const progress: Progress = { rows, subtree, height, tree: EMPTY_TREE, ...fresh };
  await write([uncleanRow(subtree.shard)]);
  for await (const bytes of chunks) {
    const decoded = decodeStateChunk(bytes);
    if (!decoded.ok) return decoded;
    const taken = takeChunk(progress, decoded.value);
    if (!taken.ok) return taken;
    await write(partRows(progress));
  }
  const finished = finishAccount(progress);
  if (!finished.ok) return finished;
  await write(partRows(progress));
  if (!bytesEqual(progress.tree.hash, root)) return refuse('wrong-root', 'the leaves are not those of the version');
  return accept(progress.tree);
}

function takeChunk(progress: Progress, { continues, leaves, codes }: StateChunk): Step {
  for (const code of codes) progress.operations.push({ type: 'put', key: codeRowKey(keccak256(code)), value: code });
  for (const [index, leaf] of leaves.entries()) {
    const taken = continues && index === 0 ? continueAccount(progress, leaf) : takeLeaf(progress, leaf);
    if (!taken.ok) return taken;
  }
  return FINE;
}

function takeLeaf(progress: Progress, leaf: ChunkLeaf): Step {
  const finished = finishAccount(progress);
  if (!finished.ok) return finished;
  const { lastKey, subtree, height } = progress;
  if (!holdsKey(subtree, leaf.key)) return refuse('foreign-leaf', `a leaf is not of shard ${subtree.shard}`);
  if (lastKey !== undefined && compareBytes(lastKey, leaf.key) >= 0) return refuse('wrong-order', 'keys ascend from chunk to chunk');
  progress.lastKey = leaf.key;
  if (leaf.tag === LEAF_TAG.pointer) {
    addLeaf(progress, { key: leaf.key, leaf: pointerLeaf(leaf.key, leaf.value) });
    return FINE;
  }
  invariant(leaf.tag === LEAF_TAG.account && height >= 0, 'a leaf is an account or a pointer');
  progress.open = { leaf, storage: EMPTY_TREE, lastSlot: undefined };
  addSlots(progress, progress.open, leaf);
  return FINE;
}

function continueAccount(progress: Progress, leaf: ChunkLeaf): Step {
  const { open } = progress;
  const isSame = open !== undefined && bytesEqual(open.leaf.key, leaf.key) && bytesEqual(open.leaf.value, leaf.value);
  if (!isSame || leaf.tag !== open.leaf.tag) return refuse('wrong-order', 'what continues is not what came before');
  const [first] = leaf.slots;
  if (first === undefined || (open.lastSlot !== undefined && compareBytes(open.lastSlot, first.key) >= 0))
    return refuse('wrong-order', 'slots ascend from chunk to chunk');
  addSlots(progress, open, leaf);
  return FINE;
}

function addSlots(progress: Progress, open: OpenAccount, { key, slots }: ChunkLeaf): void {
  const { operations, height } = progress;
  const changes = slots.map((slot) => ({ key: slot.key, leaf: slotLeaf(slot.key, slot.value) }));
  for (const { key: slotKey, leaf } of changes) operations.push({ type: 'put', key: slotRowKey(key, slotKey), value: leaf.row });
  const source = sourceOf(progress, key);
  const storage = addTo(source, open.storage, height, changes);
  pushWritten(operations, source, height, storage);
  progress.open = { ...open, storage: { ...storage, node: undefined }, lastSlot: slots.at(-1)?.key ?? open.lastSlot };
}

// All slots of an account are there: its storage must be what its leaf says.
function finishAccount(progress: Progress): Step {
  const { open, height } = progress;
  if (open === undefined) return FINE;
  const { key, value } = open.leaf;
  const account = decodeAccountLeaf(value);
  invariant(account !== undefined, 'the leaf of an account has the length of one');
  const { hash, leafCount } = open.storage;
  if (!bytesEqual(hash, account.storageRoot)) return refuse('wrong-storage', 'the slots are not those of the account');
  const storageTree = leafCount === 0 ? undefined : { version: height, leafCount };
  addLeaf(progress, { key, leaf: accountLeaf(key, { account, storageTree }) });
  progress.open = undefined;
  return FINE;
}

function addLeaf({ changes, operations }: Progress, change: Required<LeafChange>): void {
  changes.push(change);
  if (change.leaf !== undefined) operations.push({ type: 'put', key: leafRowKey(change.key), value: change.leaf.row });
}

// The rows of what came since the last part, which the next one reads again where it needs them.
function partRows(progress: Progress): readonly RowOperation[] {
  const { changes, operations, height } = progress;
  const source = sourceOf(progress, undefined);
  const tree = addTo(source, progress.tree, height, changes);
  if (changes.length > 0) pushWritten(operations, source, height, tree);
  progress.tree = { ...tree, node: undefined };
  progress.changes = [];
  progress.operations = [];
  return operations;
}

function addTo(source: NodeSource, tree: TreeRoot, height: Height, changes: readonly LeafChange[]): TreeRoot {
  const superseded = { keys: [], nodes: 0 };
  const next = updateTree(source, tree, height, changes, superseded);
  invariant(superseded.keys.length === 0, 'adding leaves of one version makes nothing superfluous');
  return next;
}

function sourceOf({ rows, subtree }: Progress, owner: Bytes32 | undefined): NodeSource {
  const use = { loaded: 0, generation: 1, turnAt: 0 };
  if (owner === undefined) return { rows, kind: 'account', owner, subtree, use };
  return { rows, kind: 'storage', owner, subtree: WHOLE_TREE, use };
}
