// Shards of a random layout over one store, with a model of what each of them says at each height: for the properties of splits, merges,
// rollbacks, pruning, removal and transfer.
import assert from 'node:assert/strict';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import { type ChainId, ROOT_SHARD } from '../../../src/core/primitives/ids.ts';
import { contains, intersects } from '../../../src/core/protocol/shard-id.ts';
import { changeLayout } from '../../../src/core/state/change-layout.ts';
import { accountKey } from '../../../src/core/state/key.ts';
import { keyOfNode, type NodeSource } from '../../../src/core/state/node-source.ts';
import { rootRowKey } from '../../../src/core/state/row-keys.ts';
import { createStateDatabase } from '../../../src/core/state/state-database.ts';
import type { RowOperation } from '../../../src/core/state/state-rows.ts';
import type { StateDatabase, StateVersion } from '../../../src/core/state/state-version.ts';
import { holdsKey, subtreeOf, WHOLE_TREE } from '../../../src/core/state/subtree.ts';
import type { TreeRoot } from '../../../src/core/state/tree-node.ts';
import { walkNodes } from '../../../src/core/state/tree-read.ts';
import { decodeRoot } from '../../../src/core/state/tree-rows.ts';
import { createMemoryStore, type MemoryStore } from '../../../src/storage/memory-store.ts';
import { addressOf, applyWrites, type ModelState, type ModelWrite, wholeOf } from './model-state.ts';

/** One shard in use. */
export interface LiveShard {
  database: StateDatabase;
  /** By height, since its start. */
  readonly models: Map<number, ModelState>;
  readonly start: number;
}

/** A node that follows all shards. */
export interface ShardWorld {
  readonly store: MemoryStore;
  readonly shards: Map<ChainId, LiveShard>;
  /** What each shard said at each height, also before it was last closed. */
  readonly history: Map<string, ModelState>;
}

/** One shard that is everything, with the empty state at height 0. */
export async function newWorld(): Promise<ShardWorld> {
  const store = createMemoryStore();
  const world: ShardWorld = { store, shards: new Map(), history: new Map() };
  const shard: LiveShard = { database: createStateDatabase(store, ROOT_SHARD), models: new Map(), start: 0 };
  world.shards.set(ROOT_SHARD, shard);
  const version = shard.database.extend(shard.database.committed(), 0, { accounts: [], pointers: [], codes: new Map() });
  await store.write(shard.database.commit(version), { sync: false });
  shard.database.adopted(version);
  remember(world, ROOT_SHARD, 0, new Map());
  return world;
}

const FAMILY_COUNT = 20;
let chosen: readonly number[] = [];

/** Families by number: twelve lie below shards 16 and 17, so that these are worth dividing, the others anywhere. */
export function families(): readonly number[] {
  if (chosen.length === 0) {
    const all = Array.from({ length: 256 }, (_unused, number) => number);
    const inside = [16, 17].flatMap((shard) => all.filter((number) => isOfShard(shard, `${number}/0`)).slice(0, 6));
    chosen = [...inside, ...all.filter((number) => !inside.includes(number)).slice(0, FAMILY_COUNT - inside.length)];
  }
  return chosen;
}

/** True for accounts of the shard. */
export function isOfShard(shard: ChainId, name: string): boolean {
  const [family = 0, address = 0] = name.split('/').map(Number);
  return holdsKey(subtreeOf(shard), accountKey(addressOf(family), addressOf(address)).bytes);
}

function remember(world: ShardWorld, shard: ChainId, height: number, model: ModelState): void {
  world.shards.get(shard)?.models.set(height, model);
  world.history.set(`${shard}@${height}`, model);
}

/** The shard that a choice falls on. */
export function pick({ shards }: ShardWorld, choice: number): ChainId {
  const ids = [...shards.keys()].sort((a, b) => a - b);
  return ids[choice % ids.length] as ChainId;
}

/** The shard itself. */
export function live({ shards }: ShardWorld, shard: ChainId): LiveShard {
  const found = shards.get(shard);
  assert.ok(found !== undefined);
  return found;
}

/** What the shard says now. */
export function modelOf(world: ShardWorld, shard: ChainId): ModelState {
  const { database, models } = live(world, shard);
  return models.get(database.committed().height) as ModelState;
}

/** The next version of one shard: those of the writes that are its own. */
export async function commitTo(world: ShardWorld, shard: ChainId, writes: readonly ModelWrite[]): Promise<void> {
  const { database } = live(world, shard);
  const own = writes.filter(({ family, address }) => isOfShard(shard, `${family}/${address}`));
  const parent = database.committed();
  const { state, changes } = applyWrites(modelOf(world, shard), own, parent);
  const version = database.extend(parent, parent.height + 1, changes);
  await world.store.write(database.commit(version), { sync: false });
  database.adopted(version);
  remember(world, shard, version.height, state);
}

/** Puts others in the place of shards. */
export async function relayout(world: ShardWorld, closed: readonly ChainId[], successors: readonly ChainId[]): Promise<void> {
  const databases = closed.map((shard) => live(world, shard).database);
  const model = new Map(closed.flatMap((shard) => [...modelOf(world, shard)]));
  const height = Math.max(...databases.map((database) => database.committed().height));
  const { operations, starts } = await changeLayout(world.store, databases, successors);
  await world.store.write(operations, { sync: false });
  for (const shard of closed) world.shards.delete(shard);
  for (const { shard, root, height: startHeight } of starts) {
    const database = createStateDatabase(world.store, shard);
    assert.equal(startHeight, height);
    assert.equal(database.committed().height, height);
    assert.deepEqual(database.committed().root, root);
    world.shards.set(shard, { database, models: new Map(), start: height });
    remember(world, shard, height, new Map([...model].filter(([name]) => isOfShard(shard, name))));
  }
}

/** Parts that cover a shard, from a number: each bit decides whether to go on dividing. */
export function partsOf(shard: ChainId, choice: number): readonly ChainId[] {
  let bits = choice;
  const divide = (place: ChainId, levels: number): readonly ChainId[] => {
    const goesOn = levels === 0 || (levels < 6 && bits % 3 === 0);
    bits = Math.floor(bits / 3) || choice + levels;
    if (!goesOn || place >= 2 ** 16) return [place];
    return [...divide(2 * place, levels + 1), ...divide(2 * place + 1, levels + 1)];
  };
  return divide(shard, 0);
}

/** A place above shards that are all in use. */
export function placeAbove(world: ShardWorld, choice: number): ChainId | undefined {
  const shard = pick(world, choice);
  return shard === ROOT_SHARD ? undefined : shard >>> (1 + (choice % 3)) || ROOT_SHARD;
}

/** The shards in use below a place. */
export function shardsBelow({ shards }: ShardWorld, place: ChainId): readonly ChainId[] {
  return [...shards.keys()].filter((shard) => contains(place, shard));
}

/**
 * Removes a shard, as a node does that no longer follows it, in two attempts, and takes it in again from what it handed out before, in two attempts
 * as well.
 */
export async function moveAway(world: ShardWorld, shard: ChainId, choice: number): Promise<void> {
  const { store } = world;
  const model = modelOf(world, shard);
  const before = live(world, shard).database;
  const { height, root } = before.committed();
  const chunks: Uint8Array[] = [];
  for await (const chunk of before.exportVersion(before.committed(), 400)) chunks.push(chunk);
  world.shards.delete(shard);
  for await (const batch of before.drop()) {
    // What says that the shard is gone is in the first batch, and with it.
    await store.write(batch.slice(0, 4 + (choice % batch.length)), { sync: false });
    break;
  }
  checkKept(world);
  const write = async (operations: readonly RowOperation[]): Promise<void> => store.write(operations, { sync: false });
  const half = createStateDatabase(store, shard);
  if (choice % 2 === 0) for await (const batch of half.drop()) await write(batch);
  const some = createStateDatabase(store, shard);
  assert.equal(some.committed().height, -1);
  const wrong = await some.importVersion({ height, root }, chunks.slice(0, choice % (chunks.length + 1)), write);
  if (choice % (chunks.length + 1) === chunks.length) assert.ok(wrong.ok);
  checkKept(world);
  const database = createStateDatabase(store, shard);
  const verdict = await database.importVersion({ height, root }, chunks, write);
  assert.ok(verdict.ok);
  await write(database.commit(verdict.value));
  database.adopted(verdict.value);
  world.shards.set(shard, { database, models: new Map(), start: height });
  remember(world, shard, height, model);
}

/** Opens everything anew. */
export function restart({ store, shards }: ShardWorld): void {
  for (const [shard, found] of shards) found.database = createStateDatabase(store, shard);
}

/** The root that one tree of everything has. */
export function modelRoot(world: ShardWorld): Uint8Array {
  const whole = createStateDatabase(createMemoryStore(), ROOT_SHARD);
  const state = new Map([...world.shards.keys()].flatMap((shard) => [...modelOf(world, shard)]));
  return whole.extend(whole.committed(), 7, wholeOf(state, whole.committed())).root;
}

/** Asserts that a version says what the model does of its shard. */
export function checkVersion(shard: ChainId, version: StateVersion, model: ModelState): void {
  assert.equal(version.leafCount, model.size);
  for (const family of families()) {
    for (let address = 0; address < ADDRESSES; address++) {
      const name = `${family}/${address}`;
      if (!isOfShard(shard, name)) continue;
      const account = version.getAccount(addressOf(family), addressOf(address));
      const expected = model.get(name);
      assert.equal(account?.nonce, expected?.nonce, `${name} of shard ${shard} at ${version.height}`);
      assert.equal(account?.balanceWei, expected?.balanceWei);
      for (const [slot, value] of expected?.slots ?? [])
        assert.deepEqual(version.getStorage(addressOf(family), addressOf(address), Buffer.from(slot, 'hex')), value);
    }
  }
}

export const ADDRESSES = 3;

/** Asserts that every version that is kept says what it said when it was made. */
export function checkKept(world: ShardWorld): void {
  for (const [shard, { database, models }] of world.shards) {
    for (const [height, model] of models) {
      const version = database.at(height);
      if (height > database.committed().height || height < database.oldest()) continue;
      assert.ok(version !== undefined, `shard ${shard} has its version at ${height}`);
      checkVersion(shard, version, model);
      // Current values are read from rows of their own: all nodes must be there, too.
      addRows(new Set(), world, { owner: undefined, subtree: subtreeOf(shard) }, treeOf(world, shard, height));
    }
  }
}

/** Asserts that versions from before a split or merge are forgotten or right; gives how many are there. */
export function checkPast(world: ShardWorld): number {
  let found = 0;
  for (const [name, model] of world.history) {
    const [shard = 0, height = 0] = name.split('@').map(Number);
    const current = world.shards.get(shard);
    if (current !== undefined && height >= current.start) continue;
    const version = (current?.database ?? createStateDatabase(world.store, shard)).at(height);
    if (version === undefined) continue;
    checkVersion(shard, version, model);
    found++;
  }
  return found;
}

/** All rows. */
export async function dump(store: MemoryStore): Promise<ReadonlyMap<string, string>> {
  const rows = new Map<string, string>();
  for await (const { key, value } of store.iterate({ gte: Uint8Array.of(0), lt: Uint8Array.of(0xff), limit: 1e9 }))
    rows.set(bytesToHex(key), bytesToHex(value));
  return rows;
}

/** Asserts that no node is stored but those of the committed versions. */
export async function checkNothingLeft(world: ShardWorld): Promise<void> {
  const expected = new Set<string>();
  for (const [shard, { database }] of world.shards) {
    addRows(expected, world, { owner: undefined, subtree: subtreeOf(shard) }, treeOf(world, shard, database.committed().height));
  }
  const rows = [...(await dump(world.store)).keys()];
  assert.deepEqual(rows.filter((key) => key.startsWith('13')).sort(), [...expected].sort(), 'nodes of committed versions only');
  for (const kind of ['15', '16', '1a', '1c'])
    assert.deepEqual(
      rows.filter((key) => key.startsWith(kind)),
      [],
      `kind ${kind}`,
    );
  assert.equal(rows.filter((key) => key.startsWith('14')).length, world.shards.size, 'one root for each shard');
}

function treeOf({ store }: ShardWorld, shard: ChainId, height: number): TreeRoot {
  return decodeRoot(store.get(rootRowKey(height, shard)) as Uint8Array);
}

function addRows(rows: Set<string>, world: ShardWorld, place: Pick<NodeSource, 'owner' | 'subtree'>, root: TreeRoot): void {
  const use = { loaded: 0, generation: 1, turnAt: 0 };
  const source: NodeSource = { ...place, rows: world.store, kind: place.owner === undefined ? 'account' : 'storage', use };
  for (const { node, slotDepth, path } of walkNodes(source, { ...root, node: undefined })) {
    rows.add(bytesToHex(keyOfNode(place, node.version, slotDepth, path)));
    if (node.kind === 'page') {
      for (const base of node.bases) rows.add(bytesToHex(keyOfNode(place, base, slotDepth, path)));
      continue;
    }
    for (const leaf of place.owner === undefined ? node.leaves : []) {
      const tree = leaf.record.storageTree;
      const hash = leaf.record.account.storageRoot;
      if (tree !== undefined) addRows(rows, world, { owner: leaf.key, subtree: WHOLE_TREE }, { ...tree, hash, node: undefined });
    }
  }
}

/** Whether a row's key (in hexadecimal) is of a shard, told from the key alone. */
export function isRowOf(shard: ChainId, name: string): boolean {
  const key = Buffer.from(name, 'hex');
  const [kind] = key;
  const subtree = subtreeOf(shard);
  const idAt = (at: number): number => (key.length <= at ? ROOT_SHARD : key.readUInt32BE(at));
  if (kind === 0x10 || kind === 0x11) return holdsKey(subtree, key, 1);
  if (kind === 0x16) return holdsKey(subtree, key, 9);
  if (kind === 0x14 || kind === 0x15) return idAt(9) === shard;
  if (kind === 0x17 || kind === 0x18 || kind === 0x19) return idAt(1) === shard;
  if (kind === 0x1a || kind === 0x1b || kind === 0x1c) return intersects(idAt(1), shard);
  if (kind !== 0x13) return false;
  if (key[9] === 1) return holdsKey(subtree, key, 10);
  if (key[9] === 2) return idAt(10) === shard;
  const place = Buffer.alloc(32);
  key.copy(place, 0, 11);
  return 4 * (key[10] as number) >= subtree.depth && holdsKey(subtree, place);
}
