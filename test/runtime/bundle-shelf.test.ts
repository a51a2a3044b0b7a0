// What a shelf has in memory of what waits for a shard that stands still, and that nothing of it is lost.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { makeOutbox, type Outbox } from '../../src/core/messaging/outbox.ts';
import { MESSAGE_DATA_BYTES_MAX } from '../../src/core/protocol/limits.ts';
import { BundleShelf, encodeSent, sentReader } from '../../src/runtime/bundle-shelf.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import { createShardStore } from '../../src/storage/shard-store.ts';
import { familiesIn, messageTo } from '../core/messaging/messages.ts';

const LAYOUT = new Set([4, 5, 6, 7]);
const SOURCE = 7;
const MIB = 2 ** 20;
const DATA_BYTES = Math.min(MESSAGE_DATA_BYTES_MAX, 128 * 1024);
/** As much as twelve mebibytes more than a node is to have of it in memory. */
const HEIGHTS = Math.ceil((76 * MIB) / (16 * DATA_BYTES));

describe('bundles for a shard that stands still', () => {
  let families: readonly Uint8Array[];
  before(async () => {
    await initialiseKeccak();
    families = familiesIn(5, 16);
  });

  const outboxAt = (height: number): Outbox =>
    makeOutbox(
      SOURCE,
      height,
      families.map((family, n) => messageTo(family, 100 * height + n, { data: new Uint8Array(DATA_BYTES).fill(n) })),
      LAYOUT,
    );

  it('are in memory up to a bound, and read from the disk where there are more', async () => {
    const store = createMemoryStore();
    const shardStore = createShardStore(store);
    const shelf = new BundleShelf(sentReader(shardStore));
    for (let height = 1; height <= HEIGHTS; height++) {
      const outbox = outboxAt(height);
      await store.write(shardStore.putSent(SOURCE, height, encodeSent(outbox)), { sync: false });
      shelf.put(SOURCE, height, outbox, 'stored');
      shelf.anchored(SOURCE, height, outbox.summary, height + 10);
    }
    assert.ok(shelf.memoryBytes <= 64 * MIB, `${shelf.memoryBytes} bytes`);
    assert.ok(shelf.memoryBytes > 32 * MIB, 'and no less than needed');
    assert.equal(shelf.held().size, HEIGHTS);
    for (const height of [1, HEIGHTS, 2, 1]) {
      const [expected] = outboxAt(height).bundles;
      const bundle = shelf.held().get(`${SOURCE}/${height}/0`);
      assert.ok(expected !== undefined && bundle !== undefined);
      assert.deepEqual(bundle.messages, expected.messages);
      assert.deepEqual([bundle.weights, bundle.index, bundle.branch], [expected.weights, expected.index, expected.branch]);
      assert.deepEqual(shelf.summaryAt(SOURCE, height), outboxAt(height).summary);
    }
    shelf.forgetAbove(SOURCE, 0);
    assert.deepEqual([shelf.memoryBytes, shelf.held().size], [0, 0]);
  });

  it('stay in memory as long as they are not final, or there is no row of them', () => {
    const shelf = new BundleShelf(() => assert.fail('nothing is read'));
    for (let height = 1; height <= HEIGHTS; height++)
      shelf.put(SOURCE, height, outboxAt(height), height % 2 === 0 ? 'stored' : 'in-memory');
    for (let height = 1; height <= HEIGHTS; height += 2) shelf.anchored(SOURCE, height, outboxAt(height).summary, height + 10);
    assert.ok(shelf.memoryBytes > 72 * MIB);
    assert.ok([...shelf.held().values()].every(({ messages }) => messages.length === families.length));
  });
});
