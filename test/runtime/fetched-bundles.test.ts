import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { makeOutbox, type Outbox } from '../../src/core/messaging/outbox.ts';
import { BundleShelf } from '../../src/runtime/bundle-shelf.ts';
import { type ShelvedBundle, shelveBundles } from '../../src/runtime/fetched-bundles.ts';
import { familiesIn, messageTo } from '../core/messaging/messages.ts';
import { nothingOnDisk } from './nothing-on-disk.ts';

const HEIGHT = 7;

describe('bundles that were fetched', () => {
  let outbox: Outbox;
  let shelf: BundleShelf;

  before(() => initialiseKeccak());
  beforeEach(() => {
    const messages = [4, 5, 6].flatMap((shard) => familiesIn(shard, 2)).map((family, n) => messageTo(family, n));
    outbox = makeOutbox(7, HEIGHT, messages, new Set([4, 5, 6, 7]));
    shelf = new BundleShelf(nothingOnDisk);
  });

  const part = (...places: readonly number[]): readonly ShelvedBundle[] =>
    places.map((at) => ({ bundle: outbox.bundles[at] as ShelvedBundle['bundle'], outbox: { height: HEIGHT, summary: outbox.summary } }));
  const held = (): readonly string[] => [...shelf.heldSince()].map(([name, { heldSince }]) => `${name} since ${heldSince}`);

  it('are held with their anchor from now on', () => {
    shelveBundles(shelf, part(1), 20);
    assert.deepEqual(held(), ['7/7/1 since 20']);
    assert.deepEqual(shelf.summaryAt(7, HEIGHT), outbox.summary);
  });

  it('join those of the same outbox that are there', () => {
    shelveBundles(shelf, part(2), 20);
    shelveBundles(shelf, part(0), 21);
    assert.deepEqual(held(), ['7/7/0 since 21', '7/7/2 since 21']);
  });

  it('leave an outbox whole that this node executed itself, whether it knew of the anchor or not', () => {
    shelf.put(7, HEIGHT, outbox, 'stored');
    assert.deepEqual(held(), []);
    shelveBundles(shelf, part(1), 20);
    assert.equal(held().length, 3);
  });

  const reader = (shard: number, height: number) => ({
    record: { shard },
    progress: { cursors: [{ source: 7, prefix: shard, height, index: 0 }] },
  });
  /** All but shard 5 have read the outbox. */
  const state = (heightOf5: number) =>
    ({
      height: 30,
      records: [4, 5, 6, 7].map((shard) => reader(shard, shard === 5 ? heightOf5 : HEIGHT + 1)),
    }) as unknown as Parameters<BundleShelf['forgetRead']>[0];

  it('are let go one by one, whoever else has still to read the outbox', () => {
    shelveBundles(shelf, part(0, 1), 20);
    const { memoryBytes } = shelf;
    assert.deepEqual(shelf.forgetRead(state(HEIGHT), 30), []);
    assert.deepEqual(held(), ['7/7/1 since 20']);
    assert.ok(shelf.memoryBytes < memoryBytes);
    assert.deepEqual(shelf.forgetRead(state(HEIGHT + 1), 30), []);
    assert.deepEqual([held(), shelf.memoryBytes], [[], 0]);
  });

  it('are let go with their row where this node executed the outbox, when all shards have read all of it', () => {
    shelf.put(7, HEIGHT, outbox, 'stored', 20);
    assert.deepEqual(shelf.forgetRead(state(HEIGHT), 30), []);
    assert.equal(held().length, 3);
    assert.deepEqual(shelf.forgetRead(state(HEIGHT + 1), 30), [{ source: 7, height: HEIGHT }]);
    assert.deepEqual([held(), shelf.memoryBytes], [[], 0]);
  });
});
