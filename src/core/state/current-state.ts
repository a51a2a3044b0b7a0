// Reads below all layers: from the database's current rows for the committed version, from its tree for an older one. What was read of
// the committed version stays in bounded caches, since the same accounts come again.
import type { Address, Bytes32, Hex } from '../primitives/ids.ts';
import type { AccountRecord } from './account-codec.ts';
import { FAMILY_PREFIX_NIBBLES, type StateKey, slotKey } from './key.ts';
import { KeyCache } from './key-cache.ts';
import { accountOfRow, pointerOfRow, slotOfRow } from './leaf.ts';
import type { NodeSource, NodeUse } from './node-source.ts';
import { NODES_LOADED_MAX, sweepNodes } from './node-sweep.ts';
import { RecentMap } from './recent-map.ts';
import { codeRowKey, leafRowKey, slotRowKey } from './row-keys.ts';
import type { StateRows } from './state-rows.ts';
import { type Subtree, WHOLE_TREE } from './subtree.ts';
import type { TreeRoot } from './tree-node.ts';
import { findLeaf, isAloneIn } from './tree-read.ts';
import type { BaseReader, VersionLayer } from './version-layer.ts';

/** Accounts kept decoded (about 0.6 KB each) that are not in the tree's nodes in memory, and slots (0.3 KB). */
const ACCOUNTS_CACHED_MAX = 65_536;
const SLOTS_CACHED_MAX = 16_384;
/** Codes kept: at 24 KiB at most, 12 MiB. */
const CODES_CACHED_MAX = 512;
/** Storage trees of which nodes are kept. */
const STORAGE_TREES_MAX = 4_096;
/** Nodes that one older version may keep in memory. */
const OLD_VERSION_NODES_MAX = 2_048;

type Cached<T> = { readonly value: T | undefined };

/** See the file's head. */
export class CurrentState implements BaseReader {
  readonly subtree: Subtree;
  readonly #rows: StateRows;
  readonly #accounts = new KeyCache<Cached<AccountRecord>>(ACCOUNTS_CACHED_MAX);
  readonly #slots = new RecentMap<Hex, Cached<Bytes32>>(SLOTS_CACHED_MAX);
  readonly #codes = new RecentMap<Hex, Uint8Array>(CODES_CACHED_MAX);
  readonly #storageTrees = new RecentMap<Hex, TreeRoot>(STORAGE_TREES_MAX);
  /** Of the committed trees. */
  readonly #use: NodeUse = { loaded: 0, generation: 1, turnAt: 0 };
  readonly #oldVersionUse: NodeUse = { loaded: 0, generation: 1, turnAt: 0 };
  readonly #source: NodeSource;
  readonly #oldVersionSource: NodeSource;
  #committed: VersionLayer | undefined;
  // While a batch is being written nobody knows whether a current row is the old or the new one: then the tree is read.
  #rowsAreCommitted = true;

  constructor(rows: StateRows, subtree: Subtree) {
    this.#rows = rows;
    this.subtree = subtree;
    this.#source = { rows, kind: 'account', owner: undefined, subtree, use: this.#use };
    this.#oldVersionSource = { ...this.#source, use: this.#oldVersionUse };
  }

  /** Where the nodes of the account tree (or, with `owner`, of a storage tree) come from as `layer` sees them. */
  source(layer: VersionLayer, owner?: Bytes32): NodeSource {
    const source = layer.base() === this.#committed ? this.#source : this.#oldVersionSource;
    return owner === undefined ? source : { rows: source.rows, kind: 'storage', owner, subtree: WHOLE_TREE, use: source.use };
  }

  /** From now on the current rows may be those of the version before or after the committed one. */
  beginWrite(): void {
    this.#rowsAreCommitted = false;
  }

  /**
   * The current rows are those of `layer`, whose changes take the place of what was cached; after a rollback nothing stays cached.
   * `nodesAdded`: how many more nodes its trees have than those of the version before.
   */
  adopt(layer: VersionLayer, nodesAdded: number): void {
    const { changes } = layer;
    if (changes === undefined) this.#forgetAll();
    else {
      this.#use.loaded += nodesAdded;
      // They are in the tree's nodes in memory.
      for (const { key } of changes.leaves) this.#accounts.delete(key);
      for (const [name, storage] of changes.storage) this.#adoptStorage(name, storage.cleared, storage.values);
      for (const [name, { tree }] of changes.storageTrees) this.#storageTrees.set(name, tree);
      for (const [name, code] of changes.codes) this.#codes.set(name, code);
    }
    const previous = this.#committed;
    if (previous !== undefined) previous.tree = withoutNodes(previous.tree);
    this.#committed = layer;
    this.#rowsAreCommitted = true;
    sweepNodes([layer.tree, ...this.#storageTrees.values()], this.#use);
  }

  account(layer: VersionLayer, key: StateKey): AccountRecord | undefined {
    const isCurrent = layer.base() === this.#committed;
    const cached = isCurrent ? this.#accounts.get(key.bytes) : undefined;
    if (cached !== undefined) return cached.value;
    const row = this.#leafRow(layer, key);
    const value = row && accountOfRow(row);
    if (isCurrent) this.#accounts.set(key.bytes, { value });
    return value;
  }

  pointer(layer: VersionLayer, key: StateKey): Address | undefined {
    const row = this.#leafRow(layer, key);
    return row && pointerOfRow(row);
  }

  isLoneFamily(layer: VersionLayer, key: StateKey): boolean {
    // Reading must not fill the memory between two sweeps.
    if (layer.base() !== this.#committed || this.#use.loaded >= NODES_LOADED_MAX) return false;
    return isAloneIn(this.#source, layer.tree, key.bytes, FAMILY_PREFIX_NIBBLES);
  }

  slot(layer: VersionLayer, owner: StateKey, slot: Bytes32, slotName: Hex): Bytes32 | undefined {
    const name = owner.name + slotName;
    if (layer === this.#committed) {
      const cached = this.#slots.get(name);
      if (cached !== undefined) return cached.value;
    }
    const record = layer.recordOf(owner);
    if (record?.storageTree === undefined) return undefined;
    const row = this.#slotRow(layer, owner, record, slotKey(slot));
    const value = row && slotOfRow(row);
    if (layer === this.#committed) this.#slots.set(name, { value });
    return value;
  }

  code(codeHash: Bytes32, name: Hex): Uint8Array | undefined {
    const cached = this.#codes.get(name);
    if (cached !== undefined) return cached;
    const code = this.#rows.get(codeRowKey(codeHash))?.slice();
    if (code !== undefined) this.#codes.set(name, code);
    return code;
  }

  /** The storage tree of an account as `layer` sees it, with the nodes that are in memory. */
  storageTree(layer: VersionLayer, key: StateKey): TreeRoot | undefined {
    const uncommitted = layer.storageTreeOf(key);
    if (uncommitted !== undefined) return uncommitted;
    const record = layer.recordOf(key);
    if (record?.storageTree === undefined) return undefined;
    const tree: TreeRoot = { ...record.storageTree, hash: record.account.storageRoot, node: undefined };
    if (layer.base() !== this.#committed) return tree;
    const cached = this.#storageTrees.get(key.name);
    if (cached !== undefined && cached.version === tree.version) return cached;
    this.#storageTrees.set(key.name, tree);
    return tree;
  }

  #slotRow(layer: VersionLayer, owner: StateKey, record: AccountRecord, key: Bytes32): Uint8Array | undefined {
    if (layer === this.#committed && this.#rowsAreCommitted) return this.#rows.get(slotRowKey(owner.bytes, key));
    const tree = this.storageTree(layer, owner) ?? {
      ...(record.storageTree as { version: number; leafCount: number }),
      hash: record.account.storageRoot,
      node: undefined,
    };
    return findLeaf(this.source(layer, owner.bytes), tree, key)?.row;
  }

  #leafRow(layer: VersionLayer, key: StateKey): Uint8Array | undefined {
    if (layer.base() === this.#committed && this.#rowsAreCommitted) return this.#rows.get(leafRowKey(key.bytes));
    this.#boundOldVersion(layer);
    return findLeaf(this.source(layer), layer.tree, key.bytes)?.row;
  }

  // An older version that somebody reads much lets its nodes go and loads them again.
  #boundOldVersion(layer: VersionLayer): void {
    // A layer with changes has nodes that are nowhere else.
    if (layer.changes !== undefined || layer === this.#committed || this.#oldVersionUse.loaded < OLD_VERSION_NODES_MAX) return;
    layer.tree = withoutNodes(layer.tree);
    this.#oldVersionUse.loaded = 0;
  }

  #adoptStorage(name: Hex, cleared: boolean, values: ReadonlyMap<Hex, Bytes32 | undefined>): void {
    if (cleared) this.#slots.clear();
    for (const [slotName, value] of values) this.#slots.set(name + slotName, { value });
  }

  #forgetAll(): void {
    this.#accounts.clear();
    this.#slots.clear();
    this.#storageTrees.clear();
    this.#use.loaded = 0;
    this.#use.turnAt = 0;
  }
}

function withoutNodes(tree: TreeRoot): TreeRoot {
  return { ...tree, node: undefined };
}
