// Shards over the database on disk: the same rows as in memory, whatever is split, merged, taken back, forgotten, removed and taken in.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { bytesToHex, uint64ToBytes, ZERO_32 } from '../../src/core/primitives/bytes.ts';
import { type ChainId, ROOT_SHARD } from '../../src/core/primitives/ids.ts';
import type { Account } from '../../src/core/state/account.ts';
import { changeLayout } from '../../src/core/state/change-layout.ts';
import { buildGenesisState } from '../../src/core/state/genesis-state.ts';
import { accountKey } from '../../src/core/state/key.ts';
import { STATE_ROW } from '../../src/core/state/row-keys.ts';
import { createStateDatabase } from '../../src/core/state/state-database.ts';
import type { StateDatabase } from '../../src/core/state/state-version.ts';
import { holdsKey, subtreeOf } from '../../src/core/state/subtree.ts';
import type { KeyValueStore } from '../../src/storage/key-value-store.ts';
import { openLevelStore } from '../../src/storage/level-store.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';

const ACCOUNTS = 1_500;
const folder = mkdtempSync(join(tmpdir(), 'coppice-shards-'));
const addresses = Array.from({ length: ACCOUNTS }, (_unused, index) => sha256(uint64ToBytes(index)).slice(0, 20));

before(initialiseKeccak);
after(() => rmSync(folder, { recursive: true, force: true }));

async function commit(database: StateDatabase, store: KeyValueStore, every: number): Promise<void> {
  const parent = database.committed();
  const height = parent.height + 1;
  const subtree = subtreeOf(database.shard);
  const accounts = addresses
    .filter((address, index) => (index + height) % every === 0 && holdsKey(subtree, accountKey(address, address).bytes))
    .map((address) => {
      const account = parent.getAccount(address, address) as Account;
      return {
        family: address,
        address,
        before: account,
        after: { ...account, nonce: account.nonce + 1n },
        storageCleared: false,
        storage: new Map(),
      };
    });
  const version = database.extend(parent, height, { accounts, pointers: [], codes: new Map() });
  await store.write(database.commit(version), { sync: false });
  database.adopted(version);
}

async function relayout(store: KeyValueStore, closed: readonly ChainId[], successors: readonly ChainId[]): Promise<void> {
  const databases = closed.map((shard) => createStateDatabase(store, shard));
  await store.write((await changeLayout(store, databases, successors)).operations, { sync: false });
}

async function writeAll(store: KeyValueStore, batches: ReturnType<StateDatabase['prune']>): Promise<void> {
  for await (const batch of batches) await store.write(batch, { sync: false });
}

async function live(store: KeyValueStore): Promise<void> {
  const open = (shard: ChainId): StateDatabase => createStateDatabase(store, shard);
  const whole = open(ROOT_SHARD);
  const genesis = addresses.map((address) => ({
    address,
    family: address,
    balanceWei: 5n,
    nonce: 0n,
    code: new Uint8Array(),
    storage: [],
  }));
  const first = await whole.writeFirst(0, buildGenesisState(genesis), (operations) => store.write(operations, { sync: false }));
  await store.write(whole.commit(first), { sync: false });
  whole.adopted(first);
  await commit(whole, store, 7);
  await relayout(store, [ROOT_SHARD], [2, 12, 26, 27, 7]);
  for (const shard of [2, 12, 27, 2, 7]) await commit(open(shard), store, 3);
  await relayout(store, [12, 26, 27], [6]);
  await commit(open(6), store, 2);
  const seven = open(7);
  await commit(seven, store, 4);
  const { version, operations } = await seven.rollbackTo(2);
  await store.write(operations, { sync: false });
  seven.adopted(version);
  await writeAll(store, open(2).prune(3));
  const chunks: Uint8Array[] = [];
  for await (const chunk of open(6).exportVersion(open(6).committed())) chunks.push(chunk);
  const { height, root } = open(6).committed();
  await writeAll(store, open(6).drop());
  const taking = open(6);
  const taken = await taking.importVersion({ height, root }, chunks, (batch) => store.write(batch, { sync: false }));
  assert.ok(taken.ok);
  await store.write(taking.commit(taken.value), { sync: false });
  await relayout(store, [2, 6, 7], [ROOT_SHARD]);
  await commit(open(ROOT_SHARD), store, 5);
}

async function rowsOf(store: KeyValueStore): Promise<readonly string[]> {
  const rows: string[] = [];
  for (const kind of Object.values(STATE_ROW)) {
    for await (const { key, value } of store.iterate({ gte: Uint8Array.of(kind), lt: Uint8Array.of(kind + 1), limit: 1e9 }))
      rows.push(`${bytesToHex(key)} ${bytesToHex(value)}`);
  }
  return rows;
}

describe('shards on disk', () => {
  it('leave the rows that they leave in memory', async () => {
    const store = await openLevelStore(join(folder, 'db'), ZERO_32);
    const memory = createMemoryStore();
    await live(store);
    await live(memory);
    const [onDisk, inMemory] = [await rowsOf(store), await rowsOf(memory)];
    assert.equal(onDisk.length, inMemory.length);
    assert.ok(onDisk.every((row, index) => row === inMemory[index]));
    assert.deepEqual(createStateDatabase(store, ROOT_SHARD).committed().root, createStateDatabase(memory, ROOT_SHARD).committed().root);
    await store.close();
  });
});
