// From a version and the changes of a block to the next version: storage roots first, then the account tree, all in memory.
import { bytesToHex } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, Height, Hex } from '../primitives/ids.ts';
import type { AccountRecord } from './account-codec.ts';
import type { SlotRows } from './change-rows.ts';
import type { AccountChange, ChangeSet, PointerChange } from './change-set.ts';
import type { CurrentState } from './current-state.ts';
import { accountKey, pointerKey, type StateKey, slotKey } from './key.ts';
import { accountLeaf, accountRow, pointerLeaf, slotLeaf, slotRow } from './leaf.ts';
import { holdsKey } from './subtree.ts';
import { EMPTY_TREE, type Superseded, type TreeRoot } from './tree-node.ts';
import { walkNodes } from './tree-read.ts';
import { type LeafChange, sortChanges, supersede, updateTree } from './tree-update.ts';
import { NOT_IN_MEMORY, type StorageLayer, VersionLayer } from './version-layer.ts';

/** A changed leaf of the account tree with what its change row keeps. */
interface ChangedLeaf extends LeafChange {
  readonly before: Uint8Array | undefined;
  readonly slots: readonly SlotRows[];
}

/** What a version in the making gathers. */
interface Making {
  readonly current: CurrentState;
  readonly parent: VersionLayer;
  readonly height: Height;
  readonly storage: Map<Hex, StorageLayer>;
  readonly storageTrees: Map<Hex, { readonly owner: Bytes32; readonly tree: TreeRoot }>;
  readonly superseded: Superseded;
}

const NO_SLOTS: readonly SlotRows[] = [];
const NOTHING = { record: undefined, row: undefined };

/** The version of `changes` on top of `parent`. */
export function extendVersion(current: CurrentState, parent: VersionLayer, height: Height, changes: ChangeSet): VersionLayer {
  invariant(height > parent.height, 'heights never go back');
  const gathered = { storage: new Map(), storageTrees: new Map(), superseded: { keys: [], nodes: 0 } };
  const making: Making = { current, parent, height, ...gathered };
  const changed: ChangedLeaf[] = [];
  for (const change of changes.accounts) {
    if (change.before !== undefined || change.after !== undefined) changed.push(changeAccount(making, change));
  }
  for (const pointer of changes.pointers) {
    const leaf = addPointer(making, pointer);
    if (leaf !== undefined) changed.push(leaf);
  }
  sortChanges(changed);
  invariant(changed.length === 0 || (isOwn(current, changed[0]) && isOwn(current, changed.at(-1))), 'a shard changes what is its own');
  const tree = updateTree(current.source(parent), parent.tree, height, changed, making.superseded);
  const leaves = changed.map(({ key, leaf, before, slots }) => ({ key, before, after: leaf?.row, slots }));
  // A version of its own also where nothing changed: nodes are loaded into a tree, and let go, for one version at a time.
  return new VersionLayer(current, height, { ...tree }, parent, { ...gathered, codes: changes.codes, leaves });
}

// In order of keys, what lies between two of the shard's is the shard's.
function isOwn({ subtree }: CurrentState, change: LeafChange | undefined): boolean {
  return change !== undefined && holdsKey(subtree, change.key);
}

function changeAccount(making: Making, change: AccountChange): ChangedLeaf {
  const key = accountKey(change.family, change.address);
  const { record, row: before } = change.before === undefined ? NOTHING : accountBefore(making, key);
  invariant((record === undefined) === (change.before === undefined), 'a change set says what was there before');
  const isTouched = change.storage.size > 0 || change.storageCleared || change.after === undefined;
  const slots: SlotRows[] = [];
  const { after } = change;
  let storageRoot = record?.account.storageRoot ?? EMPTY_TREE.hash;
  let storageTree = record?.storageTree;
  if (isTouched) {
    const tree = changeStorage(making, key, change, slots);
    storageRoot = tree.hash;
    storageTree = tree.leafCount === 0 ? undefined : { version: tree.version, leafCount: tree.leafCount };
  }
  if (after === undefined) return { key: key.bytes, leaf: undefined, before, slots };
  const { nonce, balanceWei, codeHash, family } = after;
  const next: AccountRecord = { account: { nonce, balanceWei, codeHash, storageRoot, family }, storageTree };
  return { key: key.bytes, leaf: accountLeaf(key.bytes, next), before, slots: isTouched ? slots : NO_SLOTS };
}

function accountBefore(
  { parent }: Making,
  key: StateKey,
): { readonly record: AccountRecord | undefined; readonly row: Uint8Array | undefined } {
  const leaf = parent.peek(key);
  if (leaf === undefined) return NOTHING;
  if (leaf !== NOT_IN_MEMORY) return leaf;
  const record = parent.recordOf(key);
  return { record, row: record && accountRow(record) };
}

// The storage tree after the change; what its slots were and are goes to `slots`.
function changeStorage(making: Making, key: StateKey, change: AccountChange, slots: SlotRows[]): TreeRoot {
  const { current, parent, height, superseded } = making;
  const cleared = change.storageCleared || change.after === undefined;
  const before = (change.before === undefined ? undefined : current.storageTree(parent, key)) ?? EMPTY_TREE;
  const values = change.after === undefined ? undefined : change.storage;
  making.storage.set(key.name, { cleared, values: new Map([...(values ?? [])].map(([name, { after }]) => [name, after])) });
  const changes: (LeafChange & SlotRows)[] = [];
  for (const slotChange of values?.values() ?? []) {
    const { slot, after } = slotChange;
    // Cleared storage starts empty: the values before are those that clearing names.
    const oldValue = cleared ? undefined : slotChange.before;
    if (after === undefined && oldValue === undefined) continue;
    const slotTreeKey = slotKey(slot);
    const leaf = after === undefined ? undefined : slotLeaf(slotTreeKey, after);
    changes.push({ key: slotTreeKey, leaf, before: oldValue && slotRow(oldValue), after: leaf?.row });
  }
  sortChanges(changes);
  const source = current.source(parent, key.bytes);
  const tree = updateTree(source, cleared ? EMPTY_TREE : before, height, changes, superseded);
  const written = changes.map(({ key: slotTreeKey, before: oldRow, after: newRow }) => ({
    key: slotTreeKey,
    before: oldRow,
    after: newRow,
  }));
  slots.push(...(cleared ? clearStorage(making, key, before, written) : written));
  making.storageTrees.set(key.name, { owner: key.bytes, tree });
  return tree;
}

// Names every node and slot of a storage tree that is gone. Under EIP-6780 it is empty but in constructed cases, so walking it is fine.
function clearStorage(
  { current, parent, height, superseded }: Making,
  key: StateKey,
  tree: TreeRoot,
  written: readonly SlotRows[],
): readonly SlotRows[] {
  const slots = new Map<Hex, SlotRows>(written.map((slot) => [bytesToHex(slot.key), slot]));
  const source = current.source(parent, key.bytes);
  for (const placed of walkNodes(source, tree)) {
    const { node } = placed;
    supersede(superseded, node, height, source, placed);
    if (node.kind === 'page') continue;
    for (const leaf of node.leaves) {
      const name = bytesToHex(leaf.key);
      slots.set(name, { key: leaf.key, before: leaf.row, after: slots.get(name)?.after });
    }
  }
  return [...slots.values()];
}

// Pointers never change: writing an equal one is a no-op.
function addPointer({ parent }: Making, { address, family }: PointerChange): ChangedLeaf | undefined {
  const key = pointerKey(address);
  if (parent.getPointer(address) !== undefined) return undefined;
  return { key: key.bytes, leaf: pointerLeaf(key.bytes, family), before: undefined, slots: NO_SLOTS };
}
