// One version of the state: what its block changed, over the version before it. Reads look through the layers of blocks that are not
// committed yet, down to a version that the database has.
import { bytesToHex } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Address, Bytes32, Height, Hex } from '../primitives/ids.ts';
import type { AccountRecord } from './account-codec.ts';
import type { LeafRows } from './change-rows.ts';
import { accountKey, FAMILY_PREFIX_NIBBLES, pointerKey, type StateKey } from './key.ts';
import { type Leaf, pointerOfRow } from './leaf.ts';
import type { NodeSource } from './node-source.ts';
import type { StateVersion } from './state-version.ts';
import { holdsKey, type Subtree } from './subtree.ts';
import type { Superseded, TreeRoot } from './tree-node.ts';
import { peekLeaf } from './tree-read.ts';

/** What `peek` says where a node would have to be loaded. */
export const NOT_IN_MEMORY = 'not-in-memory';

/** What a block did to one account's storage. */
export interface StorageLayer {
  /** Nothing of what was there before the block is left. */
  readonly cleared: boolean;
  /** By the EVM's slot in hexadecimal; undefined is zero. */
  readonly values: ReadonlyMap<Hex, Bytes32 | undefined>;
}

/**
 * What a block changed, by the names of state keys. Accounts and pointers are in the layer's tree, whose changed nodes stay in memory
 * until they are written and adopted.
 */
export interface LayerChanges {
  readonly storage: Map<Hex, StorageLayer>;
  readonly storageTrees: Map<Hex, { readonly owner: Bytes32; readonly tree: TreeRoot }>;
  readonly codes: ReadonlyMap<Hex, Uint8Array>;
  /** In order of keys. */
  readonly leaves: readonly LeafRows[];
  /** Tree nodes that this version made superfluous. */
  readonly superseded: Superseded;
}

/** What layers read from that is not in memory: the database's current rows, or a version's tree. */
export interface BaseReader {
  /** The shard's part of the tree. */
  readonly subtree: Subtree;
  /** Where the nodes of the account tree come from as `layer` sees them. */
  source(layer: VersionLayer): NodeSource;
  /** What no layer above the base of `layer` changed. */
  account(layer: VersionLayer, key: StateKey): AccountRecord | undefined;
  pointer(layer: VersionLayer, key: StateKey): Address | undefined;
  isLoneFamily(layer: VersionLayer, key: StateKey): boolean;
  slot(layer: VersionLayer, owner: StateKey, slot: Bytes32, slotName: Hex): Bytes32 | undefined;
  code(codeHash: Bytes32, name: Hex): Uint8Array | undefined;
}

let layersMade = 0;

/** See the file's head. `parent` and `changes` are let go when the version is committed: its rows say it all. */
export class VersionLayer implements StateVersion {
  readonly root: Bytes32;
  readonly height: Height;
  readonly leafCount: number;
  readonly subtree: Subtree;
  tree: TreeRoot;
  parent: VersionLayer | undefined;
  changes: LayerChanges | undefined;
  readonly #base: BaseReader;
  /** No two layers have the same. What a key's leaf is in a layer never changes. */
  readonly #number: number;

  constructor(base: BaseReader, height: Height, tree: TreeRoot, parent?: VersionLayer, changes?: LayerChanges) {
    this.root = tree.hash;
    this.height = height;
    this.leafCount = tree.leafCount;
    this.subtree = base.subtree;
    this.tree = tree;
    this.parent = parent;
    this.changes = changes;
    this.#base = base;
    layersMade++;
    this.#number = layersMade;
  }

  getAccount(family: Address, address: Address): AccountRecord['account'] | undefined {
    return this.recordOf(this.#own(accountKey(family, address)))?.account;
  }

  /** The account as the database keeps it. */
  recordOf(key: StateKey): AccountRecord | undefined {
    const leaf = this.peek(key);
    return leaf === NOT_IN_MEMORY ? this.#base.account(this, key) : leaf?.record;
  }

  getPointer(address: Address): Address | undefined {
    const key = this.#own(pointerKey(address));
    const leaf = this.peek(key);
    return leaf === NOT_IN_MEMORY ? this.#base.pointer(this, key) : leaf && pointerOfRow(leaf.row);
  }

  isLoneFamily(family: Address): boolean {
    const key = this.#own(accountKey(family, family));
    return this.#isSeen(key) ? key.isLone : this.#base.isLoneFamily(this, key);
  }

  /** The leaf of a key as far as it takes no reading. What a layer that is not yet committed changed is always in memory. */
  peek(key: StateKey): Leaf | undefined | typeof NOT_IN_MEMORY {
    return this.#isSeen(key) ? key.seen : NOT_IN_MEMORY;
  }

  // Whether the key knows what stands at its place in this version.
  #isSeen(key: StateKey): boolean {
    if (key.seenIn === this.#number) return true;
    if (!peekLeaf(this.#base.source(this), this.tree, key.bytes, FAMILY_PREFIX_NIBBLES, key)) return false;
    key.seenIn = this.#number;
    return true;
  }

  getStorage(family: Address, address: Address, slot: Bytes32): Bytes32 | undefined {
    const key = this.#own(accountKey(family, address));
    const slotName = bytesToHex(slot);
    let layer: VersionLayer = this;
    while (layer.changes !== undefined) {
      const storage = layer.changes.storage.get(key.name);
      if (storage !== undefined) {
        const value = storage.values.get(slotName);
        if (value !== undefined || storage.cleared || storage.values.has(slotName)) return value;
      }
      if (layer.parent === undefined) break;
      layer = layer.parent;
    }
    return this.#base.slot(layer, key, slot, slotName);
  }

  getCode(codeHash: Bytes32): Uint8Array | undefined {
    const name = bytesToHex(codeHash);
    let layer: VersionLayer = this;
    while (layer.changes !== undefined) {
      const code = layer.changes.codes.get(name);
      if (code !== undefined) return code;
      if (layer.parent === undefined) break;
      layer = layer.parent;
    }
    return this.#base.code(codeHash, name);
  }

  /** The newest tree of an account's storage that is in memory in a layer not yet committed. */
  storageTreeOf(key: StateKey): TreeRoot | undefined {
    let layer: VersionLayer = this;
    while (layer.changes !== undefined) {
      const changed = layer.changes.storageTrees.get(key.name);
      if (changed !== undefined) return changed.tree;
      if (layer.parent === undefined) break;
      layer = layer.parent;
    }
    return undefined;
  }

  // What another shard holds is not absent: whoever asks here would be told so.
  #own(key: StateKey): StateKey {
    invariant(this.subtree.depth === 0 || holdsKey(this.subtree, key.bytes), 'a shard is asked for its own part of the state');
    return key;
  }

  /** The version at the bottom of the layers: one that the database has. */
  base(): VersionLayer {
    let layer: VersionLayer = this;
    while (layer.changes !== undefined && layer.parent !== undefined) layer = layer.parent;
    return layer;
  }
}
