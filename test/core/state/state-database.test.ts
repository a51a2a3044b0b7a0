// Versions of the state against a model in Maps: forks, commits, restarts, history, rollback and pruning in any order.
import assert from 'node:assert/strict';
import { before as beforeAll, describe, it } from 'node:test';
import fc from 'fast-check';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { bytesToHex, hexToBytes } from '../../../src/core/primitives/bytes.ts';
import { ROOT_SHARD } from '../../../src/core/primitives/ids.ts';
import { createStateDatabase } from '../../../src/core/state/state-database.ts';
import type { RowOperation } from '../../../src/core/state/state-rows.ts';
import type { StateDatabase, StateVersion } from '../../../src/core/state/state-version.ts';
import { createMemoryStore, type MemoryStore } from '../../../src/storage/memory-store.ts';
import { addressOf, applyWrites, type ModelState, type ModelWrite, wholeOf } from './model-state.ts';

beforeAll(initialiseKeccak);

const NUMBERS = 12;
const FAMILIES = 3;
const number = fc.integer({ min: 1, max: NUMBERS });
const write: fc.Arbitrary<ModelWrite> = fc.record({
  family: fc.integer({ min: 1, max: FAMILIES }),
  address: number,
  balanceWei: fc.oneof(
    { weight: 4, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
  recreated: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  slots: fc.array(fc.record({ slot: fc.integer({ min: 1, max: 40 }), value: fc.integer({ min: 0, max: 500 }) }), { maxLength: 10 }),
});
const blocks = fc.array(fc.array(write, { maxLength: 6 }), { minLength: 1, maxLength: 7 });

interface Chain {
  readonly store: MemoryStore;
  database: StateDatabase;
  /** Models by height, the empty state at -1. */
  readonly models: Map<number, ModelState>;
  readonly roots: Map<number, string>;
}

function newChain(): Chain {
  const store = createMemoryStore();
  return { store, database: createStateDatabase(store, ROOT_SHARD), models: new Map([[-1, new Map()]]), roots: new Map() };
}

async function commitBlock(chain: Chain, writes: readonly ModelWrite[]): Promise<void> {
  const { database, store, models, roots } = chain;
  const parent = database.committed();
  const { state, changes } = applyWrites(models.get(parent.height) as ModelState, writes, parent);
  const version = database.extend(parent, parent.height + 1, changes);
  checkReads(version, state);
  const operations = database.commit(version);
  checkReads(parent, models.get(parent.height) as ModelState);
  await store.write(operations, { sync: false });
  checkReads(parent, models.get(parent.height) as ModelState);
  database.adopted(version);
  models.set(version.height, state);
  roots.set(version.height, bytesToHex(version.root));
}

function checkReads(version: StateVersion, state: ModelState): void {
  for (let family = 1; family <= FAMILIES; family++) {
    const others = [...state.keys()].filter((name) => name.startsWith(`${family}/`) && name !== `${family}/${family}`);
    if (version.isLoneFamily?.(addressOf(family)) === true) assert.deepEqual(others, []);
    for (let address = 1; address <= NUMBERS; address++) {
      const expected = state.get(`${family}/${address}`);
      const account = version.getAccount(addressOf(family), addressOf(address));
      assert.equal(account?.balanceWei, expected?.balanceWei);
      assert.equal(account?.nonce, expected?.nonce);
      for (const [slot, value] of expected?.slots ?? []) {
        assert.deepEqual(version.getStorage(addressOf(family), addressOf(address), hexToBytes(slot) as Uint8Array), value);
      }
    }
  }
}

async function dump(store: MemoryStore): Promise<ReadonlyMap<string, string>> {
  const rows = new Map<string, string>();
  for await (const { key, value } of store.iterate({ gte: Uint8Array.of(0), lt: Uint8Array.of(0xff), limit: 1e9 }))
    rows.set(bytesToHex(key), bytesToHex(value));
  return rows;
}

async function prune(chain: Chain, keepFrom: number): Promise<void> {
  for await (const batch of chain.database.prune(keepFrom)) await chain.store.write(batch, { sync: false });
}

describe('versions of the state', () => {
  it('have the content and root of the model, block after block, for new and old versions, also after a restart', async () => {
    await fc.assert(
      fc.asyncProperty(blocks, fc.boolean(), async (sequence, restarts) => {
        const chain = newChain();
        for (const writes of sequence) {
          await commitBlock(chain, writes);
          if (restarts) chain.database = createStateDatabase(chain.store, ROOT_SHARD);
        }
        const fresh = createStateDatabase(createMemoryStore(), ROOT_SHARD);
        for (const [height, state] of chain.models) {
          if (height < 0) continue;
          const version = chain.database.at(height) as StateVersion;
          assert.equal(bytesToHex(version.root), chain.roots.get(height));
          checkReads(version, state);
          const rebuilt = fresh.extend(fresh.committed(), 7, wholeOf(state, fresh.committed()));
          assert.equal(bytesToHex(rebuilt.root), chain.roots.get(height), 'the root depends on content only');
          assert.equal(version.leafCount, state.size);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('branch without touching each other or the disk, and only one branch is committed', async () => {
    await fc.assert(
      fc.asyncProperty(blocks, blocks, async (left, right) => {
        const chain = newChain();
        await commitBlock(chain, left[0] ?? []);
        const before = await dump(chain.store);
        const base = chain.database.committed();
        const baseState = chain.models.get(base.height) as ModelState;
        const branches = [left, right].map((sequence) => {
          let version = base;
          let state = baseState;
          return sequence.map((writes) => {
            const step = applyWrites(state, writes, version);
            version = chain.database.extend(version, version.height + 1, step.changes);
            state = step.state;
            return { version, state };
          });
        });
        for (const branch of branches) for (const { version, state } of branch) checkReads(version, state);
        assert.deepEqual(await dump(chain.store), before);
        for (const { version } of branches[1] ?? []) {
          await chain.store.write(chain.database.commit(version), { sync: false });
          chain.database.adopted(version);
        }
        for (const branch of branches) for (const { version, state } of branch) checkReads(version, state);
        checkReads(base, baseState);
      }),
      { numRuns: 20 },
    );
  });

  it('go back: a rollback is the inverse of the blocks after it, to the last row', async () => {
    await fc.assert(
      fc.asyncProperty(blocks, blocks, async (first, second) => {
        const chain = newChain();
        for (const writes of first) await commitBlock(chain, writes);
        const height = chain.database.committed().height;
        const before = await dump(chain.store);
        for (const writes of second) await commitBlock(chain, writes);
        const { version, operations } = await chain.database.rollbackTo(height);
        await chain.store.write(operations, { sync: false });
        chain.database.adopted(version);
        assert.deepEqual(await dump(chain.store), before);
        checkReads(chain.database.committed(), chain.models.get(height) as ModelState);
        await commitBlock(chain, second[0] ?? []);
        checkReads(chain.database.committed(), chain.models.get(height + 1) as ModelState);
      }),
      { numRuns: 20 },
    );
  });

  it('go back below a height that stays: what was void is void, after restarts and under what follows', async () => {
    await fc.assert(
      fc.asyncProperty(blocks, blocks, blocks, fc.boolean(), fc.boolean(), async (first, second, third, restarts, prunes) => {
        const chain = newChain();
        const restart = (): void => {
          if (restarts) chain.database = createStateDatabase(chain.store, ROOT_SHARD);
        };
        for (const writes of first) await commitBlock(chain, writes);
        const kept = chain.database.committed().height;
        const state = chain.models.get(kept) as ModelState;
        const root = chain.roots.get(kept) as string;
        for (const writes of second) await commitBlock(chain, writes);
        if (prunes) await prune(chain, kept);
        restart();
        const { version, operations } = await chain.database.rollbackTo(kept, kept + 1);
        await chain.store.write(operations, { sync: false });
        chain.database.adopted(version);
        restart();
        assert.equal(chain.database.committed().height, kept + 1);
        for (const height of [kept, kept + 1]) {
          assert.equal(bytesToHex((chain.database.at(height) as StateVersion).root), root);
          checkReads(chain.database.at(height) as StateVersion, state);
        }
        assert.equal(chain.database.at(kept + 2), undefined, 'what was above is gone');
        chain.models.set(kept + 1, state);
        chain.roots.set(kept + 1, root);
        for (const height of [...chain.models.keys()]) if (height > kept + 1) chain.models.delete(height);
        // Others on top, and back again below them: the height that stands for another is one like any.
        for (const writes of third) await commitBlock(chain, writes);
        restart();
        for (const [height, model] of chain.models) if (height >= kept) checkReads(chain.database.at(height) as StateVersion, model);
        const other = createStateDatabase(createMemoryStore(), ROOT_SHARD);
        const newest = chain.database.committed();
        const rebuilt = other.extend(other.committed(), 7, wholeOf(chain.models.get(newest.height) as ModelState, other.committed()));
        assert.equal(bytesToHex(newest.root), bytesToHex(rebuilt.root), 'the root depends on content only');
        const again = await chain.database.rollbackTo(kept + 1);
        await chain.store.write(again.operations, { sync: false });
        chain.database.adopted(again.version);
        assert.equal(bytesToHex(chain.database.committed().root), root);
        checkReads(chain.database.committed(), state);
        await prune(chain, kept + 1);
        const left = [...(await dump(chain.store)).keys()];
        assert.equal(left.filter((key) => key.startsWith('14')).length, 1, 'one root is left');
        assert.equal(left.filter((key) => key.startsWith('15') || key.startsWith('16')).length, 0, 'no history is left');
      }),
      { numRuns: 20 },
    );
  });

  it('are forgotten by pruning, which leaves kept ones and the current state as they are and no row without use', async () => {
    await fc.assert(
      fc.asyncProperty(blocks, blocks, fc.nat(), async (first, second, choice) => {
        const chain = newChain();
        for (const writes of first) await commitBlock(chain, writes);
        const keepFrom = choice % first.length;
        await prune(chain, keepFrom);
        for (const writes of second) await commitBlock(chain, writes);
        chain.database = createStateDatabase(chain.store, ROOT_SHARD);
        for (const [height, state] of chain.models) {
          if (height < 0) continue;
          const version = chain.database.at(height);
          assert.equal(version === undefined, height < keepFrom);
          if (version !== undefined) checkReads(version, state);
        }
        await prune(chain, chain.database.committed().height);
        checkReads(chain.database.committed(), chain.models.get(chain.database.committed().height) as ModelState);
        const other = createStateDatabase(createMemoryStore(), ROOT_SHARD);
        const whole = other.extend(
          other.committed(),
          1,
          wholeOf(chain.models.get(chain.database.committed().height) as ModelState, other.committed()),
        );
        // A page may lie in rows of several versions, at one place: what is after the height (bytes 1 to 8).
        const places = [...(await dump(chain.store)).keys()].filter((key) => key.startsWith('13')).map((key) => key.slice(18));
        const expected = other.commit(whole).filter(({ key }) => key[0] === 0x13);
        const expectedPlaces = expected.map(({ key }) => bytesToHex(key).slice(18));
        assert.deepEqual([...new Set(places)].sort(), expectedPlaces.sort(), 'exactly the nodes of the committed version are left');
      }),
      { numRuns: 20 },
    );
  });

  it('are pruned by as many attempts as it takes, while blocks are committed in between', async () => {
    await fc.assert(
      fc.asyncProperty(blocks, blocks, fc.nat(), async (first, second, choice) => {
        const chain = newChain();
        for (const writes of [...first, ...second]) await commitBlock(chain, writes);
        const keepFrom = choice % (first.length + second.length);
        const batches: (readonly RowOperation[])[] = [];
        for await (const batch of chain.database.prune(keepFrom)) batches.push(batch);
        await commitBlock(chain, second[0] ?? []);
        // Broken off in the midst of a batch that was larger, as if it had been several.
        const [one = []] = batches;
        await chain.store.write(one.slice(0, 1 + (choice % one.length)), { sync: false });
        chain.database = createStateDatabase(chain.store, ROOT_SHARD);
        checkReads(chain.database.committed(), chain.models.get(chain.database.committed().height) as ModelState);
        await prune(chain, chain.database.committed().height);
        const left = [...(await dump(chain.store)).keys()];
        assert.equal(left.filter((key) => key.startsWith('14')).length, 1, 'one root is left');
        assert.equal(left.filter((key) => key.startsWith('15') || key.startsWith('16')).length, 0, 'no history is left');
        checkReads(chain.database.committed(), chain.models.get(chain.database.committed().height) as ModelState);
      }),
      { numRuns: 20 },
    );
  });

  it('are applied wholly or not at all, whatever of the writes survives', async () => {
    await fc.assert(
      fc.asyncProperty(blocks, fc.nat(), async (sequence, kept) => {
        const chain = newChain();
        for (const writes of sequence) await commitBlock(chain, writes);
        const found = chain.store.afterPowerLoss(kept % (sequence.length + 1));
        const database = createStateDatabase(found, ROOT_SHARD);
        const version = database.committed();
        assert.equal(version.height, (kept % (sequence.length + 1)) - 1);
        checkReads(version, chain.models.get(version.height) as ModelState);
        if (version.height >= 0) assert.equal(bytesToHex(version.root), chain.roots.get(version.height));
      }),
      { numRuns: 20 },
    );
  });

  it('stay the committed one when the write of the next fails, which can be written again', async () => {
    const chain = newChain();
    const writes: ModelWrite[] = [{ family: 1, address: 2, balanceWei: 3n, recreated: false, slots: [{ slot: 1, value: 1 }] }];
    await commitBlock(chain, writes);
    const parent = chain.database.committed();
    const { state, changes } = applyWrites(chain.models.get(0) as ModelState, writes, parent);
    const version = chain.database.extend(parent, 1, changes);
    chain.store.failNextWrite();
    await assert.rejects(chain.store.write(chain.database.commit(version), { sync: true }));
    checkReads(parent, chain.models.get(0) as ModelState);
    await chain.store.write(chain.database.commit(version), { sync: true });
    chain.database.adopted(version);
    checkReads(chain.database.committed(), state);
  });
});
