// The state of one node: the committed version in the database, later ones in memory, older ones as long as they are kept.
// See state-version.ts for what it promises.

import { invariant } from '../primitives/errors.ts';
import type { Address, Bytes32, Height } from '../primitives/ids.ts';
import { changeRows } from './change-rows.ts';
import type { ChangeSet } from './change-set.ts';
import { CurrentState } from './current-state.ts';
import { extendVersion } from './extend-version.ts';
import { writeFirstVersion } from './first-version.ts';
import { accountKey, pointerKey, slotKey } from './key.ts';
import type { StateProof } from './proof.ts';
import { rootRowKey } from './row-keys.ts';
import { committedRow, oldestRow, pruneBatches, readHead, rollbackOperations } from './state-history.ts';
import type { RowOperation, StateRows } from './state-rows.ts';
import type { AccountProof, StateDatabase, StateVersion } from './state-version.ts';
import { EMPTY_TREE, type TreeRoot } from './tree-node.ts';
import { proveKey } from './tree-proof.ts';
import { subtreeRootAt } from './tree-read.ts';
import { decodeRoot, encodeRoot } from './tree-rows.ts';
import { VersionLayer } from './version-layer.ts';
import { versionRows } from './version-rows.ts';

/** The height of the version without any account, which is there before genesis and never written. */
export const EMPTY_HEIGHT: Height = -1;

/** The state that `rows` hold; an empty database has the empty version. */
export function createStateDatabase(rows: StateRows): StateDatabase {
  return new Database(rows);
}

class Database implements StateDatabase {
  readonly #rows: StateRows;
  readonly #current: CurrentState;
  #committed: VersionLayer;
  #oldest: Height;
  #written: { readonly version: VersionLayer; readonly nodesAdded: number } | undefined;

  constructor(rows: StateRows) {
    this.#rows = rows;
    this.#current = new CurrentState(rows);
    const head = readHead(rows);
    this.#oldest = head?.oldest ?? 0;
    this.#committed = new VersionLayer(
      this.#current,
      head?.committed ?? EMPTY_HEIGHT,
      head === undefined ? { ...EMPTY_TREE } : this.#rootAt(head.committed),
    );
    this.#current.adopt(this.#committed, 0);
  }

  committed(): StateVersion {
    return this.#committed;
  }

  extend(parent: StateVersion, height: Height, changes: ChangeSet): StateVersion {
    return extendVersion(this.#current, layerOf(parent), height, changes);
  }

  async writeFirst(
    height: Height,
    changes: ChangeSet,
    write: (operations: readonly RowOperation[]) => Promise<void>,
  ): Promise<StateVersion> {
    invariant(this.#committed.height === EMPTY_HEIGHT, 'the first version is made once');
    return writeFirstVersion(this.#current, this.#committed, height, changes, write);
  }

  commit(version: StateVersion): readonly RowOperation[] {
    const layer = layerOf(version);
    const { changes, height } = layer;
    invariant(changes !== undefined && layer.parent === this.#committed, 'a child of the committed version is committed next');
    invariant(this.#written === undefined || this.#written.version === layer, 'one version is written at a time');
    const { operations, nodesAdded } = versionRows(layer);
    // The first version has nothing before it to go back to.
    const isFirst = this.#committed.height === EMPTY_HEIGHT;
    if (isFirst) {
      this.#oldest = height;
      operations.push(oldestRow(height));
    } else operations.push(...changeRows(height, changes.leaves));
    operations.push({ type: 'put', key: rootRowKey(height), value: encodeRoot(layer.tree) }, committedRow(height));
    this.#current.beginWrite();
    this.#written = { version: layer, nodesAdded };
    return operations;
  }

  adopted(version: StateVersion): void {
    const layer = layerOf(version);
    invariant(this.#written?.version === layer, 'what is adopted was written');
    this.#current.adopt(layer, this.#written.nodesAdded);
    this.#written = undefined;
    this.#committed = layer;
    layer.changes = undefined;
    layer.parent = undefined;
  }

  at(height: Height): StateVersion | undefined {
    if (height === this.#committed.height) return this.#committed;
    if (height < this.#oldest || height > this.#committed.height) return undefined;
    const row = this.#rows.get(rootRowKey(height));
    return row === undefined ? undefined : new VersionLayer(this.#current, height, decodeRoot(row));
  }

  oldest(): Height {
    return this.#oldest;
  }

  async rollbackTo(height: Height): Promise<{ readonly version: StateVersion; readonly operations: readonly RowOperation[] }> {
    invariant(this.#written === undefined, 'one version is written at a time');
    const operations = await rollbackOperations(this.#rows, { committed: this.#committed.height, oldest: this.#oldest }, height);
    const version = new VersionLayer(this.#current, height, this.#rootAt(height));
    this.#current.beginWrite();
    this.#written = { version, nodesAdded: 0 };
    return { version, operations };
  }

  async *prune(keepFrom: Height): AsyncIterable<readonly RowOperation[]> {
    const from = Math.min(keepFrom, this.#committed.height);
    if (from < this.#oldest) return;
    this.#oldest = from;
    yield* pruneBatches(this.#rows, from);
  }

  proveAccount(version: StateVersion, family: Address, address: Address, slots: readonly Bytes32[]): AccountProof {
    const layer = layerOf(version);
    const key = accountKey(family, address);
    const account = proveKey(this.#current.source(layer), layer.tree, key.bytes);
    const storageTree = this.#current.storageTree(layer, key) ?? EMPTY_TREE;
    const storage = slots.map((slot) => proveKey(this.#current.source(layer, key.bytes), storageTree, slotKey(slot)));
    return { account, storage };
  }

  provePointer(version: StateVersion, address: Address): StateProof {
    const layer = layerOf(version);
    return proveKey(this.#current.source(layer), layer.tree, pointerKey(address).bytes);
  }

  subtreeRoot(version: StateVersion, shardId: number): Bytes32 {
    const layer = layerOf(version);
    return subtreeRootAt(this.#current.source(layer), layer.tree, shardId);
  }

  #rootAt(height: Height): TreeRoot {
    const row = this.#rows.get(rootRowKey(height));
    invariant(row !== undefined, `the root of the version at height ${height} is stored`);
    return decodeRoot(row);
  }
}

function layerOf(version: StateVersion): VersionLayer {
  invariant(version instanceof VersionLayer, 'a version is one of this database');
  return version;
}
