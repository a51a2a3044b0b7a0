// Shards over one store against one tree of everything: whatever is committed, split, merged, taken back, forgotten and opened anew, in any order.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import type { ChainId } from '../../../src/core/primitives/ids.ts';
import { createStateDatabase } from '../../../src/core/state/state-database.ts';
import type { StateDatabase } from '../../../src/core/state/state-version.ts';
import { worldRootOf } from '../../../src/core/state/world-root.ts';
import { addressOf, applyWrites, type ModelState, type ModelWrite } from './model-state.ts';
import {
  ADDRESSES,
  checkKept,
  checkNothingLeft,
  checkPast,
  checkVersion,
  commitTo,
  dump,
  families,
  isOfShard,
  isRowOf,
  live,
  modelRoot,
  moveAway,
  newWorld,
  partsOf,
  pick,
  placeAbove,
  relayout,
  restart,
  type ShardWorld,
  shardsBelow,
} from './shard-world.ts';

before(() => initialiseKeccak());

const write: fc.Arbitrary<ModelWrite> = fc.record({
  family: fc.nat().map((choice) => families()[choice % families().length] as number),
  address: fc.integer({ min: 0, max: ADDRESSES - 1 }),
  balanceWei: fc.option(fc.bigInt({ min: 0n, max: 1n << 70n }), { nil: undefined, freq: 5 }),
  recreated: fc.boolean(),
  slots: fc.array(fc.record({ slot: fc.integer({ min: 0, max: 12 }), value: fc.integer({ min: 0, max: 3 }) }), { maxLength: 4 }),
});
const steps = fc.array(
  fc.record({
    kind: fc.constantFrom('commit', 'commit', 'commit', 'split', 'merge', 'split', 'merge', 'rollback', 'prune', 'move', 'restart'),
    choice: fc.nat(),
    writes: fc.array(write, { minLength: 1, maxLength: 10 }),
  }),
  { minLength: 4, maxLength: 24 },
);
type Step = typeof steps extends fc.Arbitrary<readonly (infer S)[]> ? S : never;

function everyFamily(): readonly ModelWrite[] {
  return families().flatMap((family) =>
    [0, 1].map((address) => ({ family, address, balanceWei: 5n, recreated: false, slots: [{ slot: 1, value: 1 + address }] })),
  );
}

async function dividedWorld(): Promise<ShardWorld> {
  const world = await newWorld();
  // At the edge of two pages, where there is most to go wrong.
  await relayout(world, [1], [16, 17, 9, 5, 3]);
  return world;
}

async function prune(world: ShardWorld, database: StateDatabase, keepFrom: number): Promise<void> {
  for await (const batch of database.prune(keepFrom)) await world.store.write(batch, { sync: false });
}

async function run(world: ShardWorld, { kind, choice, writes }: Step): Promise<void> {
  const shard = pick(world, choice);
  const { database, models } = live(world, shard);
  if (kind === 'commit') {
    const before = await dump(world.store);
    await commitTo(world, shard, writes);
    await checkTouched(world, before, shard);
  } else if (kind === 'split' && shard < 2 ** 16) await relayout(world, [shard], partsOf(shard, choice));
  else if (kind === 'merge') {
    const place = placeAbove(world, choice);
    if (place !== undefined && !world.shards.has(place)) await relayout(world, shardsBelow(world, place), [place]);
  } else if (kind === 'rollback') {
    const before = await dump(world.store);
    const range = database.committed().height - database.oldest() + 1;
    const { version, operations } = await database.rollbackTo(database.oldest() + (choice % range));
    await world.store.write(operations, { sync: false });
    database.adopted(version);
    for (const height of models.keys()) if (height > version.height) models.delete(height);
    for (const name of world.history.keys()) {
      const [of, height = 0] = name.split('@').map(Number);
      if (of === shard && height > version.height) world.history.delete(name);
    }
    await checkTouched(world, before, shard);
  } else if (kind === 'prune') await prune(world, database, database.committed().height - (choice % 3));
  else if (kind === 'move') await moveAway(world, shard, choice);
  else restart(world);
}

async function checkTouched(world: ShardWorld, before: ReadonlyMap<string, string>, shard: ChainId): Promise<void> {
  const after = await dump(world.store);
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    if (before.get(name) !== after.get(name)) assert.ok(isRowOf(shard, name), `row ${name} is not of shard ${shard}`);
  }
}

function committedRoots({ shards }: ShardWorld): ReadonlyMap<ChainId, Uint8Array> {
  return new Map([...shards].map(([shard, { database }]) => [shard, database.committed().root]));
}

describe('shards over one store', () => {
  it('have together the root of one tree of everything, and each what was written to it, after every step', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (sequence, isDivided) => {
        const world = isDivided ? await dividedWorld() : await newWorld();
        for (const step of sequence) {
          await run(world, step);
          assert.deepEqual(worldRootOf(committedRoots(world)), modelRoot(world));
          checkKept(world);
          checkPast(world);
        }
        restart(world);
        checkKept(world);
        // One version more, and nothing before it is needed by any.
        for (const shard of world.shards.keys()) await commitTo(world, shard, sequence[0]?.writes ?? []);
        for (const { database } of world.shards.values()) await prune(world, database, database.committed().height);
        checkKept(world);
        assert.equal(checkPast(world), 0);
        await checkNothingLeft(world);
      }),
      { numRuns: 12 },
    );
  });

  it('keep a page that comes again under the key that an older life was to remove', async () => {
    const world = await dividedWorld();
    await commitTo(world, 16, everyFamily());
    await relayout(world, [16], [32, 33]);
    await relayout(world, [32, 33, 17], [8]);
    await commitTo(world, 8, []);
    await prune(world, live(world, 8).database, 2);
    restart(world);
    checkKept(world);
  });

  it('forget with a shard also those before it that share its nodes, where they have nothing in common with the one that is pruned', async () => {
    const world = await dividedWorld();
    await commitTo(world, 17, everyFamily());
    await relayout(world, [16, 17], [8]);
    await relayout(world, [8], [32, 33, 34, 35]);
    assert.ok(createStateDatabase(world.store, 17).at(1) !== undefined, 'versions before a merge are there');
    await commitTo(world, 32, everyFamily());
    await prune(world, live(world, 32).database, 2);
    checkPast(world);
    checkKept(world);
    assert.ok(createStateDatabase(world.store, 17).at(1) === undefined);
  });

  it('are forgotten so that after every single row that is written, what is left is whole', async () => {
    const world = await dividedWorld();
    await commitTo(world, 16, everyFamily());
    await commitTo(world, 17, everyFamily());
    await relayout(world, [16, 17], [8]);
    await relayout(world, [8], [32, 33, 34, 35]);
    await commitTo(world, 34, everyFamily());
    const { database } = live(world, 34);
    const changesLeft = async (): Promise<number> => [...(await dump(world.store)).keys()].filter((name) => name.startsWith('16')).length;
    const changesBefore = await changesLeft();
    await prune(world, database, 1);
    assert.equal(await changesLeft(), changesBefore, 'what was changed at its start was changed by those before it, which are kept');
    assert.ok(checkPast(world) > 3);
    for await (const batch of database.prune(2)) {
      for (const operation of batch) {
        await world.store.write([operation], { sync: false });
        checkPast(world);
        checkKept(world);
      }
    }
    assert.equal(checkPast(world), 0);
  });

  it('are taken back without a row of a neighbour of the same heights', async () => {
    const world = await newWorld();
    await relayout(world, [1], [2, 3]);
    for (const shard of [2, 3, 2, 3]) await commitTo(world, shard, everyFamily());
    const before = await dump(world.store);
    const { database } = live(world, 2);
    const { version, operations } = await database.rollbackTo(0);
    await world.store.write(operations, { sync: false });
    database.adopted(version);
    await checkTouched(world, before, 2);
    checkKept(world);
  });

  it('are removed with the versions of those before them, which cannot be read without them', async () => {
    const world = await newWorld();
    await commitTo(world, 1, everyFamily());
    await relayout(world, [1], [2, 3]);
    assert.equal(checkPast(world), 2);
    await moveAway(world, 2, 7);
    assert.equal(checkPast(world), 0);
    checkKept(world);
  });

  it('read what they said before a split and a merge, until a successor is pruned beyond it', async () => {
    const world = await newWorld();
    await commitTo(world, 1, everyFamily());
    const held = live(world, 1).database;
    const last = held.committed();
    await relayout(world, [1], [2, 3]);
    await commitTo(world, 2, everyFamily());
    await commitTo(world, 3, everyFamily());
    await commitTo(world, 3, everyFamily());
    checkVersion(1, last, world.history.get('1@1') as ModelState);
    assert.equal(checkPast(world), 2, 'the two versions of the whole');
    await relayout(world, [2, 3], [1]);
    const { database } = live(world, 1);
    assert.equal(database.committed().height, 3);
    assert.equal(checkPast(world), 2 + 2 + 3, 'each child has its start and its own');
    assert.ok(database.at(2) === undefined, 'of the whole there was none');
    await assert.rejects(database.rollbackTo(2), /goes to a version that is kept/);
    await commitTo(world, 1, everyFamily());
    await prune(world, database, 3);
    assert.equal(checkPast(world), 3, 'of the one that closed at that height');
    await prune(world, database, 4);
    assert.equal(checkPast(world), 0);
    assert.ok(held.at(1) === undefined);
  });

  it('are asked and written by their own families only', async () => {
    const world = await newWorld();
    await commitTo(world, 1, everyFamily());
    await relayout(world, [1], [2, 3]);
    const [inLeft, inRight] = [2, 3].map((shard) => families().find((family) => isOfShard(shard, `${family}/0`)) as number);
    const { database } = live(world, 2);
    const version = database.committed();
    assert.ok(version.getAccount(addressOf(inLeft as number), addressOf(0)) !== undefined);
    const foreign = addressOf(inRight as number);
    for (const ask of [
      () => version.getAccount(foreign, foreign),
      () => version.getPointer(foreign),
      () => version.getStorage(foreign, foreign, new Uint8Array(32)),
      () => version.isLoneFamily?.(foreign),
      () => database.extend(version, 9, applyWrites(new Map(), everyFamily(), { ...version, getAccount: () => undefined }).changes),
    ])
      assert.throws(ask, /its own/);
  });
});
