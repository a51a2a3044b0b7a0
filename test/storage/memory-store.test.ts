import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isError } from '../../src/core/primitives/errors.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import { describeKeyValueStore } from './key-value-store-contract.ts';

describeKeyValueStore('the database in memory', async () => createMemoryStore());

describe('the database in memory, for tests', () => {
  const put = (key: number): { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array } => ({
    type: 'put',
    key: Uint8Array.of(key),
    value: Uint8Array.of(key),
  });

  it('loses whole batches from the end when power is lost, and none that was synced', async () => {
    const store = createMemoryStore();
    await store.write([put(1)], { sync: false });
    await store.write([put(2)], { sync: true });
    await store.write([put(3), put(4)], { sync: false });
    await store.write([put(5)], { sync: false });
    assert.equal(store.afterPowerLoss(0).rowCount, 2);
    assert.equal(store.afterPowerLoss(1).rowCount, 4);
    assert.equal(store.afterPowerLoss(2).rowCount, 5);
    assert.equal(store.rowCount, 5);
  });

  it('applies nothing of a write that fails', async () => {
    const store = createMemoryStore();
    store.failNextWrite();
    await assert.rejects(store.write([put(1), put(2)], { sync: true }), (error) => isError(error, 'storage/unavailable'));
    assert.equal(store.rowCount, 0);
    await store.write([put(1)], { sync: true });
    assert.equal(store.rowCount, 1);
  });
});
