// What is proved against a shard's root, and what follows of it against the world root; and the leaves that headers count.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import { type ChainId, ROOT_SHARD } from '../../../src/core/primitives/ids.ts';
import { accountKey, pointerKey, slotKey } from '../../../src/core/state/key.ts';
import { verifyProof, verifyShardProof } from '../../../src/core/state/proof.ts';
import { extendToWorld, shardSiblings, verifyShardRoot } from '../../../src/core/state/shard-proof.ts';
import { createStateDatabase } from '../../../src/core/state/state-database.ts';
import type { StateDatabase, StateVersion } from '../../../src/core/state/state-version.ts';
import { worldRootOf } from '../../../src/core/state/world-root.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import { addressOf, type ModelState, wholeOf, wordOf } from './model-state.ts';
import { commitTo, isOfShard, live, newWorld, partsOf, relayout, type ShardWorld } from './shard-world.ts';

before(() => initialiseKeccak());

const FAMILIES = 60;

interface Setting {
  readonly world: ShardWorld;
  readonly roots: ReadonlyMap<ChainId, Uint8Array>;
  readonly worldRoot: Uint8Array;
  /** All of it in one tree. */
  readonly whole: StateDatabase;
  readonly version: StateVersion;
}

async function settingOf(families: readonly number[], layoutChoice: number): Promise<Setting> {
  const world = await newWorld();
  const writes = families.flatMap((family) =>
    [0, 1].map((address) => ({ family, address, balanceWei: 3n, recreated: false, slots: [{ slot: 1, value: 2 }] })),
  );
  await commitTo(world, ROOT_SHARD, writes);
  const model = world.history.get('1@1') as ModelState;
  await relayout(world, [ROOT_SHARD], partsOf(ROOT_SHARD, layoutChoice));
  const roots = new Map([...world.shards].map(([shard, { database }]) => [shard, database.committed().root]));
  const whole = createStateDatabase(createMemoryStore(), ROOT_SHARD);
  const version = whole.extend(whole.committed(), 1, wholeOf(model, whole.committed()));
  return { world, roots, worldRoot: worldRootOf(roots), whole, version };
}

const someFamilies = fc.uniqueArray(fc.integer({ min: 0, max: FAMILIES - 1 }), { maxLength: 12 });

describe('proofs of a shard', () => {
  it('hold against its root, and lead to the very proofs that one tree of everything gives', async () => {
    await fc.assert(
      fc.asyncProperty(someFamilies, fc.nat(), async (present, layoutChoice) => {
        const { world, roots, worldRoot, whole, version } = await settingOf(present, layoutChoice);
        assert.deepEqual(worldRoot, version.root);
        for (let family = 0; family < FAMILIES; family += 3) {
          const address = addressOf(family);
          const shard = [...world.shards.keys()].find((id) => isOfShard(id, `${family}/${family}`)) as ChainId;
          const { database } = live(world, shard);
          const own = database.committed();
          const expected = whole.proveAccount(version, address, address, []).account;
          const { account: proof } = database.proveAccount(own, address, address, []);
          const proven = verifyShardProof(shard, own.root, proof.key, proof);
          assert.ok(proven.ok, 'proven against the shard');
          const extended = extendToWorld(shard, proof, roots);
          assert.deepEqual(extended, expected);
          const inWorld = verifyProof('account', worldRoot, proof.key, extended);
          assert.deepEqual(inWorld, proven);
          assert.deepEqual(extendToWorld(shard, database.provePointer(own, address), roots), whole.provePointer(version, address));
        }
      }),
      { numRuns: 10 },
    );
  });

  it('prove storage slots as before, and no key of a neighbour', async () => {
    const { world } = await settingOf([1, 2, 3, 4, 5, 6, 7, 8], 3);
    for (const [shard, { database }] of world.shards) {
      const version = database.committed();
      for (let family = 1; family <= 8; family++) {
        const [familyAddress, address] = [addressOf(family), addressOf(1)];
        const { bytes } = accountKey(familyAddress, address);
        if (!isOfShard(shard, `${family}/1`)) {
          const elsewhere = { key: bytes, siblings: [], leaf: undefined };
          const refused = verifyShardProof(shard, ZERO_32, bytes, elsewhere);
          assert.ok(!refused.ok && refused.reason === 'wrong-place');
          continue;
        }
        const account = version.getAccount(familyAddress, address);
        const { storage } = database.proveAccount(version, familyAddress, address, [wordOf(1)]);
        const proven = verifyProof('storage', account?.storageRoot as Uint8Array, slotKey(wordOf(1)), storage[0] as never);
        assert.ok(proven.ok && proven.value !== undefined);
        assert.deepEqual(proven.value.value, wordOf(2));
      }
    }
  });

  it('hold for the shard itself, and for nothing that differs', async () => {
    const { roots, worldRoot } = await settingOf([1, 2, 3, 4, 5], 81);
    for (const [shard, root] of roots) {
      const siblings = shardSiblings(shard, roots);
      assert.ok(verifyShardRoot(worldRoot, shard, root, siblings).ok);
      const wrong = [
        verifyShardRoot(new Uint8Array(32).fill(1), shard, root, siblings),
        verifyShardRoot(worldRoot, shard, new Uint8Array(32).fill(1), siblings),
        verifyShardRoot(worldRoot, shard, root, siblings.slice(1)),
        verifyShardRoot(worldRoot, shard, root, [...siblings, ZERO_32]),
        verifyShardRoot(worldRoot, 2 * shard, root, siblings),
        verifyShardRoot(worldRoot, 0, root, siblings),
      ];
      for (const [index, verdict] of wrong.entries())
        assert.ok(!verdict.ok || (siblings.length === 0 && index === 2), `${shard}: ${index}`);
    }
  });

  it('are all of nothing where the world is empty', async () => {
    const { world, roots, worldRoot } = await settingOf([], 9);
    assert.deepEqual(worldRoot, ZERO_32);
    for (const [shard, { database }] of world.shards) {
      const family = Array.from({ length: 256 }, (_unused, number) => number).find((number) => isOfShard(shard, `${number}/${number}`));
      if (family === undefined) continue;
      const proof = extendToWorld(shard, database.provePointer(database.committed(), addressOf(family)), roots);
      assert.deepEqual(proof.siblings, []);
      assert.ok(verifyProof('account', worldRoot, pointerKey(addressOf(family)).bytes, proof).ok);
    }
  });
});

describe('the leaves below a shard', () => {
  it('are counted for each of its descendants on three levels, whatever its depth', async () => {
    const world = await newWorld();
    const writes = Array.from({ length: 250 }, (_unused, family) => ({ family, address: 1, balanceWei: 3n, recreated: false, slots: [] }));
    await commitTo(world, ROOT_SHARD, writes);
    const keys = [...(world.history.get('1@1') as ModelState).keys()].map(firstBitsOf);
    const countIn = (shard: ChainId): number => keys.filter((key) => isUnder(shard, key)).length;
    const deep = (keys[0] as number) >>> 8;
    for (const shard of [1, 2, 3, 6, 13, 26, 52, deep >>> 8, deep >>> 4, deep >>> 3, deep >>> 1, deep]) {
      if (!world.shards.has(ROOT_SHARD)) await relayout(world, [...world.shards.keys()], [ROOT_SHARD]);
      if (shard !== ROOT_SHARD) await relayout(world, [ROOT_SHARD], layoutWith(shard));
      const { database } = live(world, shard);
      const expected = [1, 2, 3].flatMap((level) =>
        Array.from({ length: 2 ** level }, (_unused, place) => countIn(shard * 2 ** level + place)),
      );
      assert.deepEqual(database.leafCounts(database.committed()), expected);
    }
  });

  it('are none of an empty shard', async () => {
    const { database } = live(await newWorld(), ROOT_SHARD);
    assert.deepEqual(database.leafCounts(database.committed()), new Array(14).fill(0));
  });
});

// The first 24 bits of an account's key, as a generalized index: also below the deepest shards.
function firstBitsOf(name: string): number {
  const [family = 0, address = 0] = name.split('/').map(Number);
  const [first = 0, second = 0, third = 0] = accountKey(addressOf(family), addressOf(address)).bytes;
  return 2 ** 24 + (first << 16) + (second << 8) + third;
}

function isUnder(place: number, key: number): boolean {
  return key >>> (24 - (31 - Math.clz32(place))) === place;
}

/** The shard, and the siblings of all above it. */
function layoutWith(shard: ChainId): readonly ChainId[] {
  const layout = [shard];
  for (let place = shard; place > 1; place >>>= 1) layout.push(place ^ 1);
  return layout;
}
