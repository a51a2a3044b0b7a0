// Roots that may only change by a decision: they pin the tree's hashes, the encodings and the keys together. A new implementation
// is right if it gives these.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { bytesToHex, uint64ToBytes } from '../../../src/core/primitives/bytes.ts';
import { ROOT_SHARD } from '../../../src/core/primitives/ids.ts';
import type { Account } from '../../../src/core/state/account.ts';
import { decodeAccountLeaf } from '../../../src/core/state/account-codec.ts';
import type { AccountChange } from '../../../src/core/state/change-set.ts';
import { buildGenesisState, type GenesisStateAccount } from '../../../src/core/state/genesis-state.ts';
import { accountKey, pointerKey, slotKey } from '../../../src/core/state/key.ts';
import { verifyProof } from '../../../src/core/state/proof.ts';
import { createStateDatabase } from '../../../src/core/state/state-database.ts';
import type { RowOperation } from '../../../src/core/state/state-rows.ts';
import type { StateVersion } from '../../../src/core/state/state-version.ts';
import type { KeyValueStore } from '../../../src/storage/key-value-store.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import { wordOf } from './model-state.ts';

function accountAt(index: number): GenesisStateAccount {
  const address = sha256(uint64ToBytes(index)).slice(0, 20);
  const isContract = index % 5 === 4;
  // A contract of another family: it has a pointer, too.
  const family = isContract ? sha256(uint64ToBytes(index - 1)).slice(0, 20) : address;
  const slots = Array.from({ length: isContract ? index % 40 : 0 }, (_unused, slot) => ({
    slot: wordOf(slot),
    value: wordOf(slot * index + 1),
  }));
  return {
    address,
    family,
    balanceWei: BigInt(index) * 10n ** 18n,
    nonce: BigInt(index % 3),
    code: isContract ? uint64ToBytes(index) : new Uint8Array(),
    storage: slots,
  };
}

function genesisOf(count: number): {
  readonly accounts: readonly GenesisStateAccount[];
  readonly database: ReturnType<typeof createStateDatabase>;
  readonly version: StateVersion;
} {
  const accounts = Array.from({ length: count }, (_unused, index) => accountAt(index + 1));
  const database = createStateDatabase(createMemoryStore(), ROOT_SHARD);
  return { accounts, database, version: database.extend(database.committed(), 0, buildGenesisState(accounts)) };
}

const GOLDEN: readonly (readonly [count: number, root: string])[] = [
  [0, '0000000000000000000000000000000000000000000000000000000000000000'],
  [1, 'c7980b2466d7b049598935775641b75c6a0301421479bfcf7da60cf9a3c63c69'],
  [2, '4283ef6d9310bcbf04b67f6539c93f2bb87005facbfa724f4d16f98631a7fb9b'],
  [5, '3fe81dfb0e60c1d8469cb075cbc51cabe65136ae130931d26071860ac03bfeb3'],
  [60, 'cb6dca3404f73cf133ab40eb24573133d5b0e05e2bb2cb51bf6067761d210497'],
  [300, '798335dbf1d5f42e32810507666e0a4e44deeb5597e240fa5c25faae02d03c26'],
];

describe('the world root', () => {
  for (const [count, root] of GOLDEN) {
    it(`of ${count} accounts is the one it always was`, () => {
      assert.equal(bytesToHex(genesisOf(count).version.root), root);
    });
  }
});

describe('a version made from genesis', () => {
  before(initialiseKeccak);
  const { accounts, database, version } = genesisOf(60);

  it('has every account, pointer, slot and code', () => {
    for (const { address, family, balanceWei, nonce, code, storage } of accounts) {
      const account = version.getAccount(family, address);
      assert.equal(account?.balanceWei, balanceWei);
      assert.equal(account?.nonce, nonce);
      assert.deepEqual(version.getPointer(address), code.length > 0 ? family : undefined);
      if (code.length > 0) assert.deepEqual(version.getCode(account?.codeHash ?? new Uint8Array()), code);
      for (const { slot, value } of storage) assert.deepEqual(version.getStorage(family, address, slot), value);
      assert.equal(version.getStorage(family, address, wordOf(9_999)), undefined);
    }
  });

  it('proves accounts, slots and pointers, and the absence of each', () => {
    for (const { address, family, balanceWei, code, storage } of accounts) {
      const slots = [wordOf(0), wordOf(3), wordOf(9_999)];
      const proof = database.proveAccount(version, family, address, slots);
      const proven = verifyProof('account', version.root, accountKey(family, address).bytes, proof.account);
      assert.ok(proven.ok);
      const account = decodeAccountLeaf(proven.value?.value ?? new Uint8Array());
      assert.equal(account?.balanceWei, balanceWei);
      slots.forEach((slot, index) => {
        const slotProof = proof.storage[index];
        assert.ok(slotProof !== undefined && account !== undefined);
        const verdict = verifyProof('storage', account.storageRoot, slotKey(slot), slotProof);
        const expected = storage.find((written) => bytesToHex(written.slot) === bytesToHex(slot))?.value;
        assert.ok(verdict.ok);
        assert.deepEqual(verdict.value?.value, expected);
      });
      const pointer = verifyProof('account', version.root, pointerKey(address).bytes, database.provePointer(version, address));
      assert.ok(pointer.ok);
      assert.deepEqual(pointer.value?.value, code.length > 0 ? family : undefined);
      const elsewhere = verifyProof(
        'account',
        version.root,
        accountKey(address, family).bytes,
        database.proveAccount(version, address, family, []).account,
      );
      assert.equal(elsewhere.ok, true);
    }
  });

  it('is the same, to the last row, when it is written in parts, also after an attempt that was broken off', async () => {
    const many = Array.from({ length: 4_500 }, (_unused, index) => ({ ...accountAt(index + 1), ...(index < 300 ? {} : { storage: [] }) }));
    const changes = buildGenesisState(many);
    const whole = createMemoryStore();
    const atOnce = createStateDatabase(whole, ROOT_SHARD);
    const expected = atOnce.extend(atOnce.committed(), 0, changes);
    await whole.write(atOnce.commit(expected), { sync: false });
    const parts = createMemoryStore();
    let left = 1;
    const breakOff = async (operations: readonly RowOperation[]): Promise<void> => {
      if (left-- === 0) throw new Error('broken off');
      await parts.write(operations, { sync: false });
    };
    await assert.rejects(createStateDatabase(parts, ROOT_SHARD).writeFirst(0, changes, breakOff));
    const inParts = createStateDatabase(parts, ROOT_SHARD);
    assert.equal(inParts.committed().height, -1, 'nothing counts until it is complete');
    const written = await inParts.writeFirst(0, changes, (operations) => parts.write(operations, { sync: false }));
    await parts.write(inParts.commit(written), { sync: false });
    inParts.adopted(written);
    assert.deepEqual(written.root, expected.root);
    assert.equal(await digestOf(parts), await digestOf(whole));
    const { family, address } = many[4_321] as GenesisStateAccount;
    assert.deepEqual(inParts.committed().getAccount(family, address), expected.getAccount(family, address));
  });

  it('leaves out accounts that are empty, as EIP-161 has it', () => {
    const empty: GenesisStateAccount = { ...accountAt(1), balanceWei: 0n, nonce: 0n, code: new Uint8Array() };
    assert.equal(buildGenesisState([empty]).accounts.length, 0);
  });

  it('writes a pointer once: an equal one later is a no-op', () => {
    const contract = accounts.find(({ code }) => code.length > 0) as GenesisStateAccount;
    const again = database.extend(version, 1, {
      accounts: [],
      pointers: [{ address: contract.address, family: contract.family }],
      codes: new Map(),
    });
    assert.deepEqual(again.root, version.root);
  });
});

describe('the rows of the state', () => {
  it('are encoded as they always were: another encoding is another schema version', async () => {
    const store = createMemoryStore();
    const database = createStateDatabase(store, ROOT_SHARD);
    const accounts = Array.from({ length: 200 }, (_unused, index) => accountAt(index + 1));
    let version = database.extend(database.committed(), 0, buildGenesisState(accounts));
    for (let height = 1; height <= 4; height++) {
      await store.write(database.commit(version), { sync: false });
      database.adopted(version);
      const changes = accounts.slice(height, height + 30).map(({ family, address }): AccountChange => {
        const before = version.getAccount(family, address) as Account;
        const slot = wordOf(height);
        const storage = new Map([
          [bytesToHex(slot), { slot, before: version.getStorage(family, address, slot), after: wordOf(7 * height) }],
        ]);
        return { family, address, before, after: { ...before, nonce: before.nonce + 1n }, storageCleared: false, storage };
      });
      version = database.extend(version, height, { accounts: changes, pointers: [], codes: new Map() });
    }
    assert.equal(await digestOf(store), '796ccfa1531db2031b61eddb24fb671c56e609823188d78f291cb84ea82c993b');
  });
});

async function digestOf(store: KeyValueStore): Promise<string> {
  let digest: Uint8Array = new Uint8Array();
  for await (const { key, value } of store.iterate({ gte: Uint8Array.of(0), lt: Uint8Array.of(0xff), limit: 1e6 }))
    digest = sha256(digest, key, value);
  return bytesToHex(digest);
}
