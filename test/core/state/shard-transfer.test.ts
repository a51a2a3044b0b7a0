// A shard on its way to another node: what is handed out is what is taken in, and nothing else is.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { bytesToHex, uint64ToBytes } from '../../../src/core/primitives/bytes.ts';
import { type ChainId, ROOT_SHARD } from '../../../src/core/primitives/ids.ts';
import type { Verdict } from '../../../src/core/primitives/verdict.ts';
import type { Account } from '../../../src/core/state/account.ts';
import { changeLayout } from '../../../src/core/state/change-layout.ts';
import { buildGenesisState, type GenesisStateAccount } from '../../../src/core/state/genesis-state.ts';
import type { ImportFault } from '../../../src/core/state/import-leaves.ts';
import { accountKey } from '../../../src/core/state/key.ts';
import { CHUNK_BYTES_MAX, decodeStateChunk, endOfChunk, StateChunk } from '../../../src/core/state/state-chunk.ts';
import { createStateDatabase } from '../../../src/core/state/state-database.ts';
import type { StateDatabase, StateVersion } from '../../../src/core/state/state-version.ts';
import { holdsKey, subtreeOf } from '../../../src/core/state/subtree.ts';
import { createMemoryStore, type MemoryStore } from '../../../src/storage/memory-store.ts';
import { wordOf } from './model-state.ts';
import { dump } from './shard-world.ts';

const ACCOUNTS = 240;
const HEIGHT = 7;
/** So small that storage of forty slots goes over several chunks. */
const CHUNK_BYTES = 1_500;
/** In an account's value. */
const STORAGE_ROOT_AT = 72;

function accountAt(index: number): GenesisStateAccount {
  const address = sha256(uint64ToBytes(index)).slice(0, 20);
  const isContract = index % 5 === 4;
  const family = isContract ? sha256(uint64ToBytes(index - 1)).slice(0, 20) : address;
  const slots = Array.from({ length: isContract ? index % 43 : 0 }, (_unused, slot) => ({
    slot: wordOf(slot),
    value: wordOf(slot + index),
  }));
  // Some have the same code.
  const code = isContract ? uint64ToBytes(index % 25) : new Uint8Array();
  return { address, family, balanceWei: BigInt(index), nonce: 1n, code, storage: slots };
}

/** So many contracts of one family that a page of the tree is theirs alone: their keys differ from the seventeenth half-byte on. */
const CROWD = 24;

function contractOfCrowd(index: number): GenesisStateAccount {
  const address = sha256(uint64ToBytes(1_000_000 + index)).slice(0, 20);
  return { address, family: accountAt(1).address, balanceWei: 1n, nonce: 1n, code: Uint8Array.of(1), storage: [] };
}

const accounts = [
  ...Array.from({ length: ACCOUNTS }, (_unused, index) => accountAt(index + 1)),
  ...Array.from({ length: CROWD }, (_unused, index) => contractOfCrowd(index)),
];

interface Source {
  readonly database: StateDatabase;
  readonly version: StateVersion;
  readonly chunks: readonly Uint8Array[];
}

let whole: MemoryStore;
const sources = new Map<ChainId, Source>();

before(async () => {
  await initialiseKeccak();
  whole = createMemoryStore();
  const database = createStateDatabase(whole, ROOT_SHARD);
  const version = await database.writeFirst(HEIGHT, buildGenesisState(accounts), (operations) => whole.write(operations, { sync: false }));
  await whole.write(database.commit(version), { sync: false });
  database.adopted(version);
  const { operations } = await changeLayout(whole, [database], [2, 6, 14, 15]);
  await whole.write(operations, { sync: false });
  for (const shard of [2, 6, 14, 15]) sources.set(shard, await sourceOf(createStateDatabase(whole, shard)));
});

async function sourceOf(database: StateDatabase): Promise<Source> {
  const version = database.committed();
  const chunks: Uint8Array[] = [];
  for await (const chunk of database.exportVersion(version, CHUNK_BYTES)) chunks.push(chunk);
  return { database, version, chunks };
}

function source(shard: ChainId): Source {
  return sources.get(shard) as Source;
}

async function takeIn(store: MemoryStore, shard: ChainId, chunks: Iterable<Uint8Array>): Promise<Verdict<StateVersion, ImportFault>> {
  const database = createStateDatabase(store, shard);
  const { height, root } = source(shard).version;
  const verdict = await database.importVersion({ height, root }, chunks, (operations) => store.write(operations, { sync: false }));
  if (!verdict.ok) return verdict;
  assert.equal(createStateDatabase(store, shard).committed().height, -1, 'nothing is there before it is committed');
  await store.write(database.commit(verdict.value), { sync: false });
  database.adopted(verdict.value);
  return verdict;
}

type ChunkOf = ReturnType<typeof StateChunk.deserialize>;

/** The chunks with one of them, or all, changed. */
function altered(chunks: readonly Uint8Array[], change: (chunk: ChunkOf, index: number) => ChunkOf | undefined): readonly Uint8Array[] {
  return chunks.flatMap((bytes, index) => {
    const chunk = change(StateChunk.deserialize(bytes), index);
    return chunk === undefined ? [] : [StateChunk.serialize(chunk)];
  });
}

describe('a shard that is handed out', () => {
  it('comes in chunks of bounded size, each well formed by itself, that begin where the one before ended', () => {
    for (const { chunks } of sources.values()) {
      const decoded = chunks.map((bytes) => {
        const verdict = decodeStateChunk(bytes);
        assert.ok(verdict.ok);
        assert.ok(bytes.length <= CHUNK_BYTES);
        return verdict.value;
      });
      assert.ok(decoded.length > 3 && decoded.some(({ continues }) => continues));
    }
  });

  it('is in one chunk where that is large enough, and in none where it is empty', async () => {
    const { database, version } = source(2);
    const one: Uint8Array[] = [];
    for await (const chunk of database.exportVersion(version)) one.push(chunk);
    assert.equal(one.length, 1);
    assert.ok((one[0] as Uint8Array).length <= CHUNK_BYTES_MAX);
    const none = createMemoryStore();
    const empty = createStateDatabase(none, ROOT_SHARD);
    for await (const chunk of empty.exportVersion(empty.committed())) assert.fail(`${chunk.length} bytes`);
  });

  it('is handed out from behind any chunk on as it came after that', async () => {
    for (const { database, version, chunks } of sources.values())
      for (const [index, bytes] of chunks.entries()) {
        const after = endOfChunk(StateChunk.deserialize(bytes));
        const rest: Uint8Array[] = [];
        for await (const chunk of database.exportVersion(version, CHUNK_BYTES, after)) rest.push(chunk);
        assert.deepEqual(rest, chunks.slice(index + 1));
      }
  });

  it('is handed out from behind any key, whether there is a leaf or not', async () => {
    for (const { database, version, chunks } of sources.values()) {
      const keys = chunks.flatMap((bytes) => StateChunk.deserialize(bytes).leaves.map(({ key }) => bytesToHex(key)));
      for (let n = 0; n < 96; n++) {
        // Beside a leaf: they part at any byte, so within a page as well as above it.
        const leaf = Buffer.from(keys[(7 * n) % keys.length] as string, 'hex');
        const at = n % 20;
        const key = Uint8Array.from(leaf).with(at, ((leaf[at] as number) + (n % 2 === 0 ? 1 : 255)) % 256);
        const found = new Set<string>();
        for await (const chunk of database.exportVersion(version, CHUNK_BYTES, { key, slot: undefined }))
          for (const leaf of StateChunk.deserialize(chunk).leaves) found.add(bytesToHex(leaf.key));
        assert.deepEqual(
          [...found],
          [...new Set(keys)].filter((name) => name > bytesToHex(key)),
        );
      }
    }
  });

  it('is the same at another node: root, accounts, storage, pointers and code; and goes on there', async () => {
    const store = createMemoryStore();
    for (const shard of sources.keys()) {
      const taken = await takeIn(store, shard, source(shard).chunks);
      assert.ok(taken.ok);
      const version = createStateDatabase(store, shard).committed();
      assert.deepEqual(version.root, source(shard).version.root);
      assert.equal(version.height, HEIGHT);
      assert.equal(version.leafCount, source(shard).version.leafCount);
      checkAccounts(shard, version);
      const again = await sourceOf(createStateDatabase(store, shard));
      assert.deepEqual(again.chunks, source(shard).chunks);
    }
    const databases = [...sources.keys()].map((shard) => createStateDatabase(store, shard));
    const { operations, starts } = await changeLayout(store, databases, [ROOT_SHARD]);
    await store.write(operations, { sync: false });
    assert.deepEqual(starts[0]?.root, createStateDatabase(whole, ROOT_SHARD).at(HEIGHT)?.root);
    checkAccounts(ROOT_SHARD, createStateDatabase(store, ROOT_SHARD).committed());
  });

  it('leaves no row of an attempt before it, whatever that one had taken in', async () => {
    const clean = createMemoryStore();
    await takeIn(clean, 2, source(2).chunks);
    const { chunks } = source(2);
    const otherState = altered(chunks, (chunk) => ({
      ...chunk,
      leaves: chunk.leaves.filter(({ tag, slots }) => tag === 1 || slots.length > 3),
    }));
    for (const attempt of [chunks.slice(0, 5), chunks.slice(3), otherState]) {
      const store = createMemoryStore();
      const database = createStateDatabase(store, 2);
      const wrongRoot = { height: HEIGHT - 2, root: new Uint8Array(32).fill(1) };
      const refused = await database.importVersion(wrongRoot, attempt, (operations) => store.write(operations, { sync: false }));
      assert.ok(!refused.ok);
      assert.equal(createStateDatabase(store, 2).committed().height, -1);
      assert.ok((await takeIn(store, 2, chunks)).ok);
      const withoutCode = (rows: ReadonlyMap<string, string>) => [...rows].filter(([name]) => !name.startsWith('12'));
      assert.deepEqual(withoutCode(await dump(store)), withoutCode(await dump(clean)));
    }
  });

  it('is taken in when the process ends between any two writes, and it is begun again', async () => {
    const { chunks, version } = source(14);
    for (let writes = 0; writes < chunks.length; writes += 3) {
      const store = createMemoryStore();
      let left = writes;
      const breakOff = async (operations: Parameters<MemoryStore['write']>[0]): Promise<void> => {
        if (left-- === 0) throw new Error('broken off');
        await store.write(operations, { sync: false });
      };
      await assert.rejects(createStateDatabase(store, 14).importVersion(version, chunks, breakOff));
      const taken = await takeIn(store, 14, chunks);
      assert.ok(taken.ok);
    }
  });
});

describe('chunks of another node are refused', () => {
  const refusals: readonly (readonly [string, ImportFault, (chunks: readonly Uint8Array[]) => readonly Uint8Array[]])[] = [
    ['with a leaf missing', 'wrong-root', (chunks) => altered(chunks, withoutPointers)],
    ['with the end missing', 'wrong-root', (chunks) => chunks.slice(0, lastBegun(chunks))],
    ['with nothing at all', 'wrong-root', () => []],
    ['with a chunk twice', 'wrong-order', (chunks) => [...chunks.slice(0, lastBegun(chunks)), ...chunks.slice(lastBegun(chunks) - 1)]],
    ['with chunks in another order', 'wrong-order', (chunks) => [chunks[4] as Uint8Array, ...chunks]],
    ['with leaves of a neighbour', 'foreign-leaf', (chunks) => [...chunks, ...source(6).chunks]],
    ['with another balance', 'wrong-root', (chunks) => altered(chunks, withOtherBalance)],
    ['with a slot missing', 'wrong-storage', (chunks) => altered(chunks, (chunk) => withoutSlots(chunk, 1))],
    [
      'with continued storage missing',
      'wrong-storage',
      (chunks) => altered(chunks, (chunk) => (chunk.continues ? withoutContinuation(chunk) : chunk)),
    ],
    ['with continued storage twice', 'wrong-order', (chunks) => chunks.flatMap((chunk) => (isContinued(chunk) ? [chunk, chunk] : [chunk]))],
    [
      'with storage continued that was not begun',
      'wrong-order',
      (chunks) => chunks.filter((chunk, i) => i > 0 || isContinued(chunk)).slice(firstContinued(chunks) - 1),
    ],
    [
      'with other code',
      'wrong-code',
      (chunks) => altered(chunks, (chunk) => ({ ...chunk, codes: chunk.codes.map(() => Uint8Array.of(1)) })),
    ],
    ['without code', 'wrong-code', (chunks) => altered(chunks, (chunk) => ({ ...chunk, codes: [] }))],
    [
      'with code that nobody has',
      'wrong-code',
      (chunks) => altered(chunks, (chunk) => ({ ...chunk, codes: [...chunk.codes, Uint8Array.of(1)] })),
    ],
    [
      'with leaves of one chunk in another order',
      'wrong-order',
      (chunks) => altered(chunks, (chunk) => ({ ...chunk, codes: chunk.codes, leaves: [...chunk.leaves].reverse() })),
    ],
    [
      'with a leaf of no kind',
      'wrong-leaf',
      (chunks) => altered(chunks, (chunk) => ({ ...chunk, leaves: chunk.leaves.map((leaf) => ({ ...leaf, tag: 2 })) })),
    ],
    ['with a slot that is zero', 'wrong-leaf', (chunks) => altered(chunks, withZeroSlot)],
    ['with slots of a pointer', 'wrong-leaf', (chunks) => altered(chunks, withSlotOfPointer)],
    ['without leaves', 'wrong-leaf', (chunks) => altered(chunks, (chunk) => ({ ...chunk, leaves: [], codes: [] }))],
    ['that are too large', 'too-large', () => [new Uint8Array(CHUNK_BYTES_MAX + 1)]],
    ['that are no chunks', 'malformed', () => [new Uint8Array(5)]],
  ];
  for (const [name, reason, alter] of refusals) {
    it(`${name}, and nothing is there`, async () => {
      const store = createMemoryStore();
      const verdict = await takeIn(store, 2, alter(source(2).chunks));
      assert.ok(!verdict.ok);
      assert.equal(verdict.reason, reason, verdict.detail);
      assert.equal(createStateDatabase(store, 2).committed().height, -1);
    });
  }
});

function checkAccounts(shard: ChainId, version: StateVersion): void {
  for (const { address, family, code, storage } of accounts) {
    if (!holdsKey(subtreeOf(shard), accountKey(family, address).bytes)) continue;
    const account = version.getAccount(family, address) as Account;
    assert.equal(account.nonce, 1n);
    if (code.length > 0) assert.deepEqual(version.getCode(account.codeHash), code);
    for (const { slot, value } of storage)
      assert.equal(bytesToHex(version.getStorage(family, address, slot) ?? new Uint8Array(32)), bytesToHex(value));
  }
  for (const { address, family, code } of accounts) {
    if (code.length > 0 && holdsKey(subtreeOf(shard), accountKey(address, address).bytes))
      assert.deepEqual(version.getPointer(address), family);
  }
}

function withoutPointers(chunk: ChunkOf): ChunkOf | undefined {
  const leaves = chunk.leaves.filter(({ tag }) => tag === 0);
  return leaves.length === 0 ? undefined : { ...chunk, leaves };
}

function withOtherBalance(chunk: ChunkOf): ChunkOf {
  const leaves = chunk.leaves.map((leaf) =>
    leaf.tag === 0 && leaf.value.subarray(STORAGE_ROOT_AT, STORAGE_ROOT_AT + 32).every((byte) => byte === 0)
      ? { ...leaf, value: leaf.value.with(8, leaf.value[8] === 9 ? 8 : 9) }
      : leaf,
  );
  return { ...chunk, leaves };
}

function withoutSlots(chunk: ChunkOf, count: number): ChunkOf {
  return { ...chunk, leaves: chunk.leaves.map((leaf) => (leaf.slots.length > count ? { ...leaf, slots: leaf.slots.slice(count) } : leaf)) };
}

function withoutContinuation(chunk: ChunkOf): ChunkOf | undefined {
  const leaves = chunk.leaves.slice(1);
  return leaves.length === 0 ? undefined : { ...chunk, continues: false, leaves };
}

function withZeroSlot(chunk: ChunkOf): ChunkOf {
  return {
    ...chunk,
    leaves: chunk.leaves.map((leaf) => ({ ...leaf, slots: leaf.slots.map((slot) => ({ ...slot, value: new Uint8Array(32) })) })),
  };
}

function withSlotOfPointer(chunk: ChunkOf): ChunkOf {
  const slots = [{ key: new Uint8Array(32), value: new Uint8Array(32).fill(1) }];
  return { ...chunk, leaves: chunk.leaves.map((leaf) => (leaf.tag === 1 ? { ...leaf, slots } : leaf)) };
}

function isContinued(bytes: Uint8Array): boolean {
  return StateChunk.deserialize(bytes).continues;
}

// The last chunk but the first that does not continue: everything before it is whole.
function lastBegun(chunks: readonly Uint8Array[]): number {
  return chunks.findLastIndex((chunk) => !isContinued(chunk));
}

function firstContinued(chunks: readonly Uint8Array[]): number {
  return chunks.findIndex(isContinued);
}
