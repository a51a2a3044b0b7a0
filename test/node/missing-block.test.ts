// What a start says of a database that lost whole blocks.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CoppiceError } from '../../src/core/primitives/errors.ts';
import { CHECKED_BLOCKS_MAX, refuseMissingBlocks, refuseMissingViews } from '../../src/node/missing-block.ts';
import { createBeaconStore } from '../../src/storage/beacon-store.ts';
import { createBlockStore } from '../../src/storage/block-store.ts';
import type { KeyValueStore } from '../../src/storage/key-value-store.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import { createViewStore, VIEW_RANGE_MAX } from '../../src/storage/view-store.ts';

type Stores = Parameters<typeof refuseMissingBlocks>[0] & Parameters<typeof refuseMissingViews>[0] & { readonly store: KeyValueStore };
type State = Parameters<typeof refuseMissingBlocks>[1];

const HASH = new Uint8Array(32);
const POINT = { hash: HASH, timestampMs: 0, seed: HASH };
const STATE: State = { height: 0, instances: [] };

/** View blocks 0 to `newest`, without those that are `lost`. */
async function chainOf(newest: number, ...lost: readonly number[]): Promise<Stores> {
  const store = createMemoryStore();
  const stores = { store, viewStore: createViewStore(store), beaconStore: createBeaconStore(store), blockStore: createBlockStore(store) };
  const row = Uint8Array.of(1);
  const kept = Array.from({ length: newest + 1 }, (_unused, number) => number).filter((number) => !lost.includes(number));
  const parts = { hash: HASH, header: row, totals: row, transactionHashes: [], originsElsewhere: [] };
  await store.write(
    [...stores.beaconStore.putPoint(0, POINT), ...kept.flatMap((number) => stores.viewStore.putBlock({ number, ...parts }))],
    { sync: true },
  );
  return stores;
}

async function missingOf(stores: Stores, state: State = STATE): Promise<unknown> {
  try {
    await refuseMissingViews(stores);
    refuseMissingBlocks(stores, state);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof CoppiceError && error.code === 'storage/incomplete', String(error));
    return error.facts;
  }
}

describe('a database that may have lost blocks', () => {
  it('is taken when none is missing, however short the chain', async () => {
    for (const newest of [0, 1, VIEW_RANGE_MAX - 1, VIEW_RANGE_MAX, 2 * VIEW_RANGE_MAX + 1]) {
      assert.equal(await missingOf(await chainOf(newest)), undefined, String(newest));
    }
  });

  it('is refused with the lowest block that is missing, wherever it lies', async () => {
    const newest = 2 * VIEW_RANGE_MAX + 5;
    for (const lost of [0, 1, VIEW_RANGE_MAX - 1, VIEW_RANGE_MAX, 2 * VIEW_RANGE_MAX, newest - 1]) {
      assert.deepEqual(await missingOf(await chainOf(newest, lost)), { missing: lost, newest });
    }
    assert.deepEqual(await missingOf(await chainOf(newest, 9, 8, newest - 1)), { missing: 8, newest });
  });

  it('is searched no further back than the log reaches, and for block 0', async () => {
    const newest = CHECKED_BLOCKS_MAX + 10;
    const first = newest - CHECKED_BLOCKS_MAX + 1;
    assert.deepEqual(await missingOf(await chainOf(newest, first)), { missing: first, newest });
    assert.equal(await missingOf(await chainOf(newest, first - 1)), undefined);
    assert.deepEqual(await missingOf(await chainOf(newest, 0)), { missing: 0, newest });
  });

  it('is refused without a beacon block, or a block of an instance', async () => {
    const stores = await chainOf(0);
    const record = {
      shard: 5,
      epoch: 2,
      beaconHeight: 1,
      closingHeaders: [],
      stateRoot: HASH,
      height: 40,
      timestampMs: 0,
      baseFeePerGasWei: 0n,
      seed: HASH,
    };
    const state: State = { height: 3, instances: [{ instanceId: HASH, record }] };
    assert.deepEqual(await missingOf(stores, state), { missing: 1, newest: 3, chain: 0 });
    const points = [1, 2, 3].flatMap((height) => stores.beaconStore.putPoint(height, POINT));
    await stores.store.write(points, { sync: true });
    assert.equal(await missingOf(stores, state), undefined);
    for (const height of [41, 43]) {
      const place = { chain: 5, instanceId: HASH, height };
      const block = { place, hash: Uint8Array.from({ length: 32 }, () => height), block: HASH, certificates: HASH };
      await stores.store.write([...stores.blockStore.putCommitted(block), ...stores.blockStore.putResult(place, HASH)], { sync: true });
    }
    assert.deepEqual(await missingOf(stores, state), { missing: 42, newest: 43, chain: 5 });
  });
});
