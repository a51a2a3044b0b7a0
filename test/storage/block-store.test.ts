import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { STATE_ROW } from '../../src/core/state/row-keys.ts';
import type { RowOperation } from '../../src/core/state/state-rows.ts';
import { BLOCK_RANGE_BYTES_MAX, BLOCK_RANGE_MAX, createBlockStore, type StoredBlock } from '../../src/storage/block-store.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import { ROW_FAMILY } from '../../src/storage/schema.ts';
import { createViewStore } from '../../src/storage/view-store.ts';

const hashOf = (number: number): Uint8Array => new Uint8Array(32).fill(number);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const INSTANCE = hashOf(0xaa);
const OTHER_INSTANCE = hashOf(0xab);

function blockAt(height: number, instanceId = INSTANCE): StoredBlock {
  return {
    place: { chain: 1, instanceId, height },
    hash: hashOf(height),
    block: bytesOf(`block ${height}`),
    certificates: bytesOf(`certificates ${height}`),
  };
}

function setUp(): {
  readonly blocks: ReturnType<typeof createBlockStore>;
  readonly write: (operations: readonly RowOperation[]) => Promise<void>;
} {
  const store = createMemoryStore();
  return { blocks: createBlockStore(store), write: (operations) => store.write(operations, { sync: false }) };
}

describe('block rows', () => {
  it('give a committed block back by place and by hash, and the head of its instance', async () => {
    const { blocks, write } = setUp();
    assert.equal(blocks.getHead(1, INSTANCE), undefined);
    const stored = blockAt(5);
    await write([...blocks.putCommitted(stored), ...blocks.putResult(stored.place, bytesOf('result'))]);
    assert.deepEqual(blocks.getByHeight(stored.place), stored);
    assert.deepEqual(blocks.getByHash(stored.hash), stored);
    assert.deepEqual(blocks.getResult(stored.place), bytesOf('result'));
    assert.deepEqual(blocks.getHead(1, INSTANCE), stored.place);
    assert.equal(blocks.getHead(1, OTHER_INSTANCE), undefined);
    assert.equal(blocks.getHead(0, INSTANCE), undefined);
    assert.equal(blocks.getByHash(hashOf(9)), undefined);
  });

  it('are read in ranges of one instance, bounded in count and bytes', async () => {
    const { blocks, write } = setUp();
    for (let height = 1; height <= 300; height++)
      await write(blocks.putCommitted({ ...blockAt(height), hash: bytesOf(String(height).padStart(32, '0')) }));
    await write(blocks.putCommitted({ ...blockAt(7, OTHER_INSTANCE), hash: hashOf(0xcc) }));
    const from = { chain: 1, instanceId: INSTANCE, height: 255 };
    assert.deepEqual(
      (await blocks.readRange(from, 3)).map(({ place }) => place.height),
      [255, 256, 257],
    );
    assert.equal((await blocks.readRange({ ...from, height: 1 }, 1_000)).length, BLOCK_RANGE_MAX);
    assert.equal((await blocks.readRange({ ...from, height: 299 }, 10)).length, 2);
    const large = new Uint8Array(BLOCK_RANGE_BYTES_MAX / 2 + 1);
    for (let height = 301; height <= 304; height++)
      await write(blocks.putCommitted({ ...blockAt(height), hash: bytesOf(String(height).padStart(32, '0')), block: large }));
    assert.equal((await blocks.readRange({ ...from, height: 301 }, 10)).length, 2);
  });

  it('keep pending blocks, also two of one height, until they are committed or dropped', async () => {
    const { blocks, write } = setUp();
    const place = (height: number): StoredBlock['place'] => ({ chain: 1, instanceId: INSTANCE, height });
    await write([
      ...blocks.putPending(place(1), hashOf(1), bytesOf('a')),
      ...blocks.putPending(place(2), hashOf(2), bytesOf('b')),
      ...blocks.putPending(place(2), hashOf(3), bytesOf('c')),
    ]);
    assert.deepEqual(
      (await blocks.readPending(1, INSTANCE)).map(({ height, hash }) => [height, hash[0]]),
      [
        [1, 1],
        [2, 2],
        [2, 3],
      ],
    );
    assert.deepEqual(await blocks.readPending(1, OTHER_INSTANCE), []);
    await write(blocks.putCommitted(blockAt(1)));
    assert.equal((await blocks.readPending(1, INSTANCE)).length, 2);
    await write([blocks.dropPending(place(2), hashOf(2))]);
    assert.deepEqual(
      (await blocks.readPending(1, INSTANCE)).map(({ hash }) => hash[0]),
      [3],
    );
    await write([blocks.dropPending(place(2), hashOf(3))]);
    assert.deepEqual(await blocks.readPending(1, INSTANCE), []);
  });

  it('above a place are removed whole', async () => {
    const { blocks, write } = setUp();
    for (let height = 1; height <= 5; height++)
      await write([...blocks.putCommitted(blockAt(height)), ...blocks.putResult(blockAt(height).place, bytesOf('r'))]);
    await write(await blocks.removeAbove(blockAt(3).place, 0));
    assert.deepEqual(blocks.getHead(1, INSTANCE), blockAt(3).place);
    assert.deepEqual((await blocks.readRange(blockAt(1).place, 10)).length, 3);
    assert.equal(blocks.getByHash(hashOf(4)), undefined);
    assert.equal(blocks.getResult(blockAt(5).place), undefined);
    assert.deepEqual(blocks.getResult(blockAt(3).place), bytesOf('r'));
  });
});

describe('view rows', () => {
  it('give a view block back by number and hash, its transactions by hash, headers by range', async () => {
    const store = createMemoryStore();
    const views = createViewStore(store);
    assert.equal(views.getHead(), undefined);
    for (let number = 0; number < 4; number++) {
      const [header, totals] = [bytesOf(`h${number}`), bytesOf(`s${number}`)];
      const transactionHashes = [hashOf(100 + 2 * number), hashOf(101 + 2 * number)];
      const block = { number, hash: hashOf(number), header, totals, transactionHashes, originsElsewhere: [hashOf(200)] };
      await store.write(views.putBlock(block), { sync: false });
    }
    assert.equal(views.getHead(), 3);
    assert.equal(views.getNumberByHash(hashOf(2)), 2);
    assert.equal(views.getNumberByHash(hashOf(9)), undefined);
    assert.deepEqual(views.getTransactionPlace(hashOf(103)), { number: 1, index: 1 });
    assert.equal(views.getTransactionPlace(hashOf(99)), undefined);
    assert.deepEqual([views.getHeader(1), views.getSupplyTotals(1)], [bytesOf('h1'), bytesOf('s1')]);
    assert.deepEqual(await views.readMessagePlaces(hashOf(200)), [0, 1, 2, 3]);
    assert.deepEqual(await views.readMessagePlaces(hashOf(201)), []);
    assert.deepEqual(await views.readHeaders(1, 2), [
      { number: 1, header: bytesOf('h1') },
      { number: 2, header: bytesOf('h2') },
    ]);
  });
});

describe('rows that view blocks are made of', () => {
  it('give back executions by shard and height, anchors by number, and what is on its way by hash', async () => {
    const store = createMemoryStore();
    const views = createViewStore(store);
    const parts = { transactions: bytesOf('t'), receipts: bytesOf('r') };
    await store.write(
      [
        ...views.putExecution(5, 9, parts),
        ...views.putAnchor(3, bytesOf('a')),
        ...views.putCharged(hashOf(1), bytesOf('c')),
        ...views.putAwaited(hashOf(2), { count: 2, shard: 5, height: 9, index: 1 }),
      ],
      { sync: false },
    );
    assert.deepEqual([views.getExecution(5, 9), views.getExecution(9, 5), views.getExecution(5, 8)], [parts, undefined, undefined]);
    assert.deepEqual([views.getAnchor(3), views.getAnchor(4)], [bytesOf('a'), undefined]);
    assert.deepEqual([views.getCharged(hashOf(1)), await views.readUnderWay()], [bytesOf('c'), [hashOf(1)]]);
    assert.deepEqual(views.getAwaited(hashOf(2)), { count: 2, shard: 5, height: 9, index: 1 });
    assert.deepEqual(await views.readAwaited(), [{ count: 2, shard: 5, height: 9, index: 1 }]);
    const gone = [
      ...views.dropAnchor(3),
      ...views.arrived(hashOf(1)),
      ...views.putAwaited(hashOf(2), { count: 0, shard: 5, height: 9, index: 1 }),
    ];
    await store.write(gone, { sync: false });
    assert.deepEqual([views.getAnchor(3), await views.readUnderWay(), views.getAwaited(hashOf(2))], [undefined, [], undefined]);
  });
});

describe('the database of a node', () => {
  it('gives every kind of row a first byte of its own', () => {
    const firstBytes = [...Object.values(STATE_ROW), ...Object.values(ROW_FAMILY)];
    assert.equal(new Set(firstBytes).size, firstBytes.length);
  });
});
