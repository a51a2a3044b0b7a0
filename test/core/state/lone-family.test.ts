// What execution asks of a family before it looks for leaves that most families do not have: the answer never hides one.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { StateOverlay } from '../../../src/core/execution/state-overlay.ts';
import { bytesToHex, ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import { type Address, ROOT_SHARD } from '../../../src/core/primitives/ids.ts';
import type { Account } from '../../../src/core/state/account.ts';
import { EMPTY_CODE_HASH } from '../../../src/core/state/account-codec.ts';
import type { AccountChange, ChangeSet } from '../../../src/core/state/change-set.ts';
import { createStateDatabase } from '../../../src/core/state/state-database.ts';
import type { StateReader } from '../../../src/core/state/state-reader.ts';
import type { StateDatabase, StateVersion } from '../../../src/core/state/state-version.ts';
import { createMemoryStore, type MemoryStore } from '../../../src/storage/memory-store.ts';

before(initialiseKeccak);

const ADDRESSES = 8;

type Write =
  | { readonly kind: 'account'; readonly family: number; readonly address: number; readonly balance: number }
  | { readonly kind: 'pointer'; readonly family: number; readonly address: number };

const number = fc.integer({ min: 1, max: ADDRESSES });
const writes: fc.Arbitrary<Write> = fc.oneof(
  // Families of one account, and families of many, which are pages of their own.
  fc.record({ kind: fc.constant('account'), family: number, address: number, balance: fc.integer({ min: 0, max: 3 }) }),
  number.map((self): Write => ({ kind: 'account', family: self, address: self, balance: 1 })),
  fc.record({ kind: fc.constant('account'), family: fc.constant(1), address: number, balance: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ kind: fc.constant('pointer'), family: number, address: number }),
);
const blocks = fc.array(fc.array(writes, { maxLength: 12 }), { minLength: 1, maxLength: 6 });

function addressOf(value: number): Address {
  return new Uint8Array(20).fill(value);
}

function changesOf(block: readonly Write[], parent: StateVersion): ChangeSet {
  const accounts = new Map<string, AccountChange>();
  const pointers = new Map<number, { readonly address: Address; readonly family: Address }>();
  for (const write of block) {
    const [family, address] = [addressOf(write.family), addressOf(write.address)];
    if (write.kind === 'pointer') {
      if (write.family !== write.address) pointers.set(write.address, { address, family });
      continue;
    }
    const old = parent.getAccount(family, address);
    const after: Account | undefined =
      write.balance === 0
        ? undefined
        : { nonce: 0n, balanceWei: BigInt(write.balance), codeHash: EMPTY_CODE_HASH, storageRoot: ZERO_32, family };
    accounts.set(`${write.family}/${write.address}`, { family, address, before: old, after, storageCleared: false, storage: new Map() });
  }
  return { accounts: [...accounts.values()], pointers: [...pointers.values()], codes: new Map() };
}

function withoutAsking(version: StateVersion): StateReader {
  return {
    getAccount: (family, address) => version.getAccount(family, address),
    getPointer: (address) => version.getPointer(address),
    getStorage: (family, address, slot) => version.getStorage(family, address, slot),
    getCode: (codeHash) => version.getCode(codeHash),
  };
}

// `asked` and `plain` are the same version of two databases, so that what one loads does not help the other.
function compare(asked: StateVersion, plain: StateVersion): number {
  const [overlay, reference] = [new StateOverlay(asked), new StateOverlay(withoutAsking(plain))];
  let alone = 0;
  for (let one = 1; one <= ADDRESSES; one++) {
    if (asked.isLoneFamily?.(addressOf(one)) === true) alone++;
    assert.deepEqual(overlay.pointer(addressOf(one)), reference.pointer(addressOf(one)), `pointer ${one}`);
    for (let other = 1; other <= ADDRESSES; other++) {
      const [family, address] = [addressOf(one), addressOf(other)];
      const name = bytesToHex(address);
      assert.equal(
        overlay.hasLeaf(overlay.family(family), address, name),
        reference.hasLeaf(reference.family(family), address, name),
        `${one}/${other}`,
      );
      assert.deepEqual(asked.getAccount(family, address), plain.getAccount(family, address));
    }
  }
  return alone;
}

async function adopt({ database, store }: { database: StateDatabase; store: MemoryStore }, version: StateVersion): Promise<void> {
  await store.write(database.commit(version), { sync: false });
  database.adopted(version);
}

describe('asking whether a family is one account by itself', () => {
  it('changes no answer, in memory, while a batch is written, committed, and after a restart', async () => {
    let alone = 0;
    await fc.assert(
      fc.asyncProperty(blocks, fc.boolean(), async (sequence, restarts) => {
        const [store, other] = [createMemoryStore(), createMemoryStore()];
        let [database, reference] = [createStateDatabase(store, ROOT_SHARD), createStateDatabase(other, ROOT_SHARD)];
        for (const [height, block] of sequence.entries()) {
          const changes = changesOf(block, database.committed());
          const version = database.extend(database.committed(), height, changes);
          const expected = reference.extend(reference.committed(), height, changes);
          assert.deepEqual(version.root, expected.root);
          alone += compare(version, expected);
          const operations = database.commit(version);
          compare(version, expected);
          await store.write(operations, { sync: false });
          database.adopted(version);
          await adopt({ database: reference, store: other }, expected);
          if (restarts) [database, reference] = [createStateDatabase(store, ROOT_SHARD), createStateDatabase(other, ROOT_SHARD)];
          compare(database.committed(), reference.committed());
        }
      }),
      { numRuns: 60 },
    );
    assert.ok(alone > 0, 'some families are one account');
  });

  it('says so of a family with its own account only, and of one without any; not where a member or a pointer is', async () => {
    const store = createMemoryStore();
    const database = createStateDatabase(store, ROOT_SHARD);
    const changes = changesOf(
      [
        { kind: 'account', family: 1, address: 1, balance: 1 },
        { kind: 'account', family: 2, address: 2, balance: 1 },
        { kind: 'account', family: 2, address: 3, balance: 1 },
        { kind: 'pointer', family: 2, address: 3 },
      ],
      database.committed(),
    );
    const version = database.extend(database.committed(), 0, changes);
    const answers = (of: StateVersion): unknown[] => [1, 2, 3, 4].map((family) => of.isLoneFamily?.(addressOf(family)));
    assert.deepEqual(answers(version), [true, false, false, true]);
    await adopt({ database, store }, version);
    assert.deepEqual(answers(createStateDatabase(store, ROOT_SHARD).committed()), [true, false, false, true]);
  });
});
