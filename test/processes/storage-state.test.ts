// The state over the database on disk: large enough that nodes in memory are let go and read again.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { bytesToHex, uint64ToBytes, ZERO_32 } from '../../src/core/primitives/bytes.ts';
import { ROOT_SHARD } from '../../src/core/primitives/ids.ts';
import type { Account } from '../../src/core/state/account.ts';
import type { ChangeSet } from '../../src/core/state/change-set.ts';
import { buildGenesisState } from '../../src/core/state/genesis-state.ts';
import { createStateDatabase } from '../../src/core/state/state-database.ts';
import type { StateDatabase, StateVersion } from '../../src/core/state/state-version.ts';
import type { KeyValueStore } from '../../src/storage/key-value-store.ts';
import { openLevelStore } from '../../src/storage/level-store.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';

const ACCOUNTS = 30_000;
const folder = mkdtempSync(join(tmpdir(), 'coppice-state-'));
const addresses = Array.from({ length: ACCOUNTS }, (_unused, index) => sha256(uint64ToBytes(index)).slice(0, 20));

before(initialiseKeccak);
after(() => rmSync(folder, { recursive: true, force: true }));

function genesis(): ChangeSet {
  return buildGenesisState(
    addresses.map((address) => ({ address, family: address, balanceWei: 1_000n, nonce: 0n, code: new Uint8Array(), storage: [] })),
  );
}

function block(parent: StateVersion, height: number): ChangeSet {
  const accounts = Array.from({ length: 800 }, (_unused, place) => {
    const address = addresses[(height * 7_919 + place * 53) % ACCOUNTS] as Uint8Array;
    const before = parent.getAccount(address, address) as Account;
    const after = { ...before, nonce: before.nonce + 1n, balanceWei: before.balanceWei + BigInt(height) };
    return { family: address, address, before, after, storageCleared: false, storage: new Map() };
  });
  return { accounts, pointers: [], codes: new Map() };
}

async function commit(database: StateDatabase, store: KeyValueStore, changes: ChangeSet, height: number): Promise<string> {
  const version = database.extend(database.committed(), height, changes);
  await store.write(database.commit(version), { sync: false });
  database.adopted(version);
  return bytesToHex(version.root);
}

describe('the state on disk', () => {
  it('has the roots that a state in memory has, over restarts, pruning and more nodes than are kept in memory', async () => {
    const path = join(folder, 'db');
    let store = await openLevelStore(path, ZERO_32);
    const memory = createMemoryStore();
    let database = createStateDatabase(store, ROOT_SHARD);
    const twin = createStateDatabase(memory, ROOT_SHARD);
    assert.equal(await commit(database, store, genesis(), 0), await commit(twin, memory, genesis(), 0));
    for (let height = 1; height <= 12; height++) {
      const root = await commit(database, store, block(database.committed(), height), height);
      assert.equal(root, await commit(twin, memory, block(twin.committed(), height), height));
      if (height % 4 !== 0) continue;
      for await (const batch of database.prune(height - 2)) await store.write(batch, { sync: false });
      await store.close();
      store = await openLevelStore(path, ZERO_32);
      database = createStateDatabase(store, ROOT_SHARD);
      assert.equal(bytesToHex(database.committed().root), root);
      assert.equal(bytesToHex((database.at(height - 2) as StateVersion).root), bytesToHex((twin.at(height - 2) as StateVersion).root));
      assert.equal(database.at(height - 3), undefined);
    }
    for (const version of [database.committed(), database.at(10) as StateVersion]) {
      const same = twin.at(version.height) as StateVersion;
      for (let index = 0; index < ACCOUNTS; index += 97) {
        const address = addresses[index] as Uint8Array;
        assert.deepEqual(version.getAccount(address, address), same.getAccount(address, address));
      }
    }
    await store.close();
  });
});
