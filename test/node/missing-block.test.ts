// What a start says of a database that lost whole blocks.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CoppiceError } from '../../src/core/primitives/errors.ts';
import { CHECKED_BLOCKS_MAX, refuseMissingBlocks } from '../../src/node/missing-block.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import { createViewStore, VIEW_RANGE_MAX, type ViewStore } from '../../src/storage/view-store.ts';

/** View blocks 0 to `newest`, without those that are `lost`. */
async function chainOf(newest: number, ...lost: readonly number[]): Promise<ViewStore> {
  const store = createMemoryStore();
  const viewStore = createViewStore(store);
  const row = Uint8Array.of(1);
  const hash = new Uint8Array(32);
  const parts = { header: row, transactions: row, receipts: row };
  const kept = Array.from({ length: newest + 1 }, (_unused, number) => number).filter((number) => !lost.includes(number));
  await store.write(
    kept.flatMap((number) => viewStore.putBlock(number, hash, parts, [])),
    { sync: true },
  );
  return viewStore;
}

async function missingOf(viewStore: ViewStore, newest: number): Promise<unknown> {
  try {
    await refuseMissingBlocks(viewStore, newest);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof CoppiceError && error.code === 'storage/incomplete', String(error));
    return error.facts;
  }
}

describe('a database that may have lost blocks', () => {
  it('is taken when none is missing, however short the chain', async () => {
    for (const newest of [0, 1, VIEW_RANGE_MAX - 1, VIEW_RANGE_MAX, 2 * VIEW_RANGE_MAX + 1]) {
      assert.equal(await missingOf(await chainOf(newest), newest), undefined, String(newest));
    }
  });

  it('is refused with the lowest block that is missing, wherever it lies', async () => {
    const newest = 2 * VIEW_RANGE_MAX + 5;
    for (const lost of [0, 1, VIEW_RANGE_MAX - 1, VIEW_RANGE_MAX, 2 * VIEW_RANGE_MAX, newest - 1]) {
      assert.deepEqual(await missingOf(await chainOf(newest, lost), newest), { missing: lost, newest });
    }
    assert.deepEqual(await missingOf(await chainOf(newest, 9, 8, newest - 1), newest), { missing: 8, newest });
  });

  it('is searched no further back than the log reaches, and for block 0', async () => {
    const newest = CHECKED_BLOCKS_MAX + 10;
    const first = newest - CHECKED_BLOCKS_MAX + 1;
    assert.deepEqual(await missingOf(await chainOf(newest, first), newest), { missing: first, newest });
    assert.equal(await missingOf(await chainOf(newest, first - 1), newest), undefined);
    assert.deepEqual(await missingOf(await chainOf(newest, 0), newest), { missing: 0, newest });
  });
});
