// The state of one shard: the committed version in the database, later ones in memory, older ones as long as they are kept. Databases of
// several shards lie over the same rows. See state-version.ts for what it promises.

import { invariant } from '../primitives/errors.ts';
import type { Address, Bytes32, ChainId, Height } from '../primitives/ids.ts';
import { accept, type Verdict } from '../primitives/verdict.ts';
import { changeRows } from './change-rows.ts';
import type { ChangeSet } from './change-set.ts';
import { closedLifeAt, closedLifeWith } from './closed-life.ts';
import { CurrentState } from './current-state.ts';
import { dropBatches, requireAlone, uncleanShards } from './drop-shard.ts';
import { type ExportPosition, exportLeaves } from './export-leaves.ts';
import { extendVersion } from './extend-version.ts';
import { firstVersionOf, writeFirstVersion } from './first-version.ts';
import { type ExpectedVersion, type ImportFault, importLeaves } from './import-leaves.ts';
import { accountKey, pointerKey, slotKey } from './key.ts';
import type { StateProof } from './proof.ts';
import { rootRowKey, uncleanRowKey } from './row-keys.ts';
import { committedRow, oldestRow, prunedRow, readHead } from './shard-head.ts';
import { CHUNK_BYTES_MAX } from './state-chunk.ts';
import { pruneBatches, rollbackOperations } from './state-history.ts';
import type { RowOperation, StateRows } from './state-rows.ts';
import type { AccountProof, StateDatabase, StateVersion } from './state-version.ts';
import { type Subtree, subtreeOf } from './subtree.ts';
import { leafCountsBelow } from './tree-load.ts';
import { EMPTY_TREE, type TreeRoot } from './tree-node.ts';
import { proveKey } from './tree-proof.ts';
import { subtreeRootAt } from './tree-read.ts';
import { decodeRoot, encodeRoot } from './tree-rows.ts';
import { VersionLayer } from './version-layer.ts';
import { versionRows } from './version-rows.ts';

/** The height of the version without any account, which is there before genesis and never written. */
export const EMPTY_HEIGHT: Height = -1;

/** The state that `rows` hold of a shard; where they hold nothing of it, it has the empty version. */
export function createStateDatabase(rows: StateRows, shard: ChainId): StateDatabase {
  return new Database(rows, subtreeOf(shard));
}

class Database implements StateDatabase {
  readonly shard: ChainId;
  readonly #subtree: Subtree;
  readonly #rows: StateRows;
  readonly #current: CurrentState;
  #committed: VersionLayer;
  #oldest: Height;
  #written: { readonly version: VersionLayer; readonly nodesAdded: number } | undefined;
  #isClosed = false;

  constructor(rows: StateRows, subtree: Subtree) {
    this.shard = subtree.shard;
    this.#subtree = subtree;
    this.#rows = rows;
    this.#current = new CurrentState(rows, subtree);
    const head = readHead(rows, subtree.shard);
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
    this.#requireEmpty();
    return writeFirstVersion(this.#current, this.#committed, height, changes, write);
  }

  async importVersion(
    expected: ExpectedVersion,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    write: (operations: readonly RowOperation[]) => Promise<void>,
  ): Promise<Verdict<StateVersion, ImportFault>> {
    this.#requireEmpty();
    await requireAlone(this.#rows, this.shard);
    for (const shard of await uncleanShards(this.#rows, this.shard)) {
      for await (const batch of dropBatches(this.#rows, subtreeOf(shard))) await write(batch);
    }
    const verdict = await importLeaves(this.#rows, this.#subtree, expected, chunks, write);
    if (!verdict.ok) return verdict;
    return accept(firstVersionOf(this.#current, this.#committed, expected.height, verdict.value));
  }

  exportVersion(version: StateVersion, chunkBytes = CHUNK_BYTES_MAX, after?: ExportPosition): AsyncIterable<Uint8Array> {
    const layer = layerOf(version);
    invariant(layer.changes === undefined, 'a version is handed out from the disk');
    return exportLeaves(this.#rows, this.#subtree, layer.tree, chunkBytes, after);
  }

  commit(version: StateVersion): readonly RowOperation[] {
    this.#requireOpen();
    const layer = layerOf(version);
    const { changes, height } = layer;
    invariant(changes !== undefined && layer.parent === this.#committed, 'a child of the committed version is committed next');
    invariant(this.#written === undefined || this.#written.version === layer, 'one version is written at a time');
    const { operations, nodesAdded } = versionRows(layer);
    // The first version has nothing before it to go back to.
    const isFirst = this.#committed.height === EMPTY_HEIGHT;
    if (isFirst) {
      this.#oldest = height;
      operations.push(oldestRow(this.shard, height), ...startOfImport(this.#rows, this.shard, height));
    } else operations.push(...changeRows(height, changes.leaves));
    operations.push({ type: 'put', key: rootRowKey(height, this.shard), value: encodeRoot(layer.tree) }, committedRow(this.shard, height));
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
    const isOfThisLife = height >= this.#oldest && height <= this.#committed.height && !this.#isForgotten();
    if (isOfThisLife && height === this.#committed.height) return this.#committed;
    if (!isOfThisLife && closedLifeWith(this.#rows, this.shard, height) === undefined) return undefined;
    const row = this.#rows.get(rootRowKey(height, this.shard));
    return row === undefined ? undefined : new VersionLayer(this.#current, height, decodeRoot(row));
  }

  oldest(): Height {
    return this.#oldest;
  }

  async rollbackTo(
    height: Height,
    knownAs = height,
  ): Promise<{ readonly version: StateVersion; readonly operations: readonly RowOperation[] }> {
    this.#requireOpen();
    invariant(this.#written === undefined, 'one version is written at a time');
    invariant(knownAs >= height, 'heights never go back');
    const head = { committed: this.#committed.height, oldest: this.#oldest };
    const undone = await rollbackOperations(this.#rows, this.#subtree, head, height);
    const tree = this.#rootAt(height);
    const operations: readonly RowOperation[] = [
      ...undone,
      { type: 'put', key: rootRowKey(knownAs, this.shard), value: encodeRoot(tree) },
      committedRow(this.shard, knownAs),
    ];
    const version = new VersionLayer(this.#current, knownAs, tree);
    this.#current.beginWrite();
    this.#written = { version, nodesAdded: 0 };
    return { version, operations };
  }

  async *prune(keepFrom: Height): AsyncIterable<readonly RowOperation[]> {
    const from = Math.min(keepFrom, this.#committed.height);
    if (from < this.#oldest) return;
    this.#oldest = from;
    for await (const batch of pruneBatches(this.#rows, this.#subtree, from)) {
      // What is left then is its successors' to forget.
      if (this.#isClosed) return;
      yield batch;
    }
  }

  close(): StateVersion {
    invariant(this.#written === undefined, 'a shard is closed between two versions');
    this.#isClosed = true;
    // The current rows are somebody else's from now on.
    this.#current.beginWrite();
    return this.#committed;
  }

  async *drop(): AsyncIterable<readonly RowOperation[]> {
    this.close();
    yield* dropBatches(this.#rows, this.#subtree);
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

  subtreeRoot(version: StateVersion, shard: ChainId): Bytes32 {
    const layer = layerOf(version);
    return subtreeRootAt(this.#current.source(layer), layer.tree, shard);
  }

  leafCounts(version: StateVersion): readonly number[] {
    const layer = layerOf(version);
    return leafCountsBelow(this.#current.source(layer), layer.tree);
  }

  // A closed shard's versions go when a successor, or the removal of one, says so.
  #isForgotten(): boolean {
    if (!this.#isClosed) return false;
    const { height } = this.#committed;
    const life = closedLifeAt(this.#rows, this.shard, height);
    // Before the change of layout is written there is none.
    return life === undefined ? readHead(this.#rows, this.shard)?.committed !== height : life.isForgotten;
  }

  #requireOpen(): void {
    invariant(!this.#isClosed, 'a shard that is closed has its last version');
  }

  #requireEmpty(): void {
    this.#requireOpen();
    invariant(this.#committed.height === EMPTY_HEIGHT, 'the first version is made once');
  }

  #rootAt(height: Height): TreeRoot {
    const row = this.#rows.get(rootRowKey(height, this.shard));
    invariant(row !== undefined, `the root of the version at height ${height} is stored`);
    return decodeRoot(row);
  }
}

// Where the first version is not that of genesis: no height below it is to be pruned, and its rows count.
function startOfImport(rows: StateRows, shard: ChainId, height: Height): readonly RowOperation[] {
  const unclean = uncleanRowKey(shard);
  const marks: readonly RowOperation[] = rows.get(unclean) === undefined ? [] : [{ type: 'delete', key: unclean }];
  return height === 0 ? marks : [prunedRow(shard, height), ...marks];
}

function layerOf(version: StateVersion): VersionLayer {
  invariant(version instanceof VersionLayer, 'a version is one of this database');
  return version;
}
