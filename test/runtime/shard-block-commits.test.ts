// What a shard sent can be read as soon as both its block and its anchor are here, whichever came first.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { makeOutbox } from '../../src/core/messaging/outbox.ts';
import { EMPTY_OUTBOX } from '../../src/core/protocol/outbox.ts';
import { BundleShelf } from '../../src/runtime/bundle-shelf.ts';
import { createShardBlockCommits } from '../../src/runtime/shard-block-commits.ts';
import { familiesIn, messageTo } from '../core/messaging/messages.ts';
import { nothingOnDisk } from './nothing-on-disk.ts';
import { createSignedChain, type SignedChain } from './signed-chain.ts';

/** The shard that sends. */
const SHARD = 1;
const BEACON_HEIGHT = 30;

/** A block of height 1 that sent something is on disk, when the beacon has anchored the shard up to a height. */
async function heldAfter(chain: SignedChain, anchoredHeight: number): Promise<readonly string[]> {
  const { hash } = await chain.extend(chain.start, { round: 1 });
  const executed = await chain.blocks.executedOutcomeOf(hash);
  const [family] = familiesIn(5, 1);
  assert.ok(family !== undefined);
  const outbox = makeOutbox(SHARD, 1, [messageTo(family, 1)], new Set([4, 5, 6, 7]));
  const shelf = new BundleShelf(nothingOnDisk);
  const newest = {
    height: BEACON_HEIGHT,
    sources: [{ shard: SHARD, startHeight: 0, anchoredHeight, lastBundleHeight: anchoredHeight }],
  } as unknown as Parameters<typeof createShardBlockCommits>[0]['window']['newest'];
  const rows = createShardBlockCommits({
    ...chain.stores,
    shard: SHARD,
    states: chain.states,
    shelf,
    window: { newest, anchoredSummary: () => (anchoredHeight > 0 ? outbox.summary : undefined) },
    rowsOf: () => [],
    onCommitted: () => undefined,
  });
  const outcome = { ...executed, outbox };
  await chain.store.write(rows.rowsOf(outcome), { sync: true });
  rows.written(outcome);
  return [...shelf.heldSince()].map(([name, { heldSince }]) => `${name} since ${heldSince}`);
}

describe('what a committed block sent to other shards', () => {
  before(() => initialiseKeccak());

  it('waits for its anchor', async () => {
    assert.deepEqual(await heldAfter(await createSignedChain(), 0), []);
  });

  it('is there no more when the block is void', () => {
    const [family] = familiesIn(5, 1);
    assert.ok(family !== undefined);
    const shelf = new BundleShelf(nothingOnDisk);
    for (const height of [1, 2, 3])
      shelf.put(SHARD, height, makeOutbox(SHARD, height, [messageTo(family, height)], new Set([4, 5, 6, 7])), 'stored', BEACON_HEIGHT);
    shelf.forgetAbove(SHARD, 1);
    assert.deepEqual([...shelf.held().keys()], ['1/1/0']);
    assert.deepEqual(shelf.summaryAt(SHARD, 2), EMPTY_OUTBOX, 'nor summed up for the beacon');
  });

  it('is not taken for what is anchored at its height where that is another', () => {
    const [family] = familiesIn(5, 1);
    assert.ok(family !== undefined);
    const [own, anchored] = [1, 2].map((salt) => makeOutbox(SHARD, 1, [messageTo(family, salt)], new Set([4, 5, 6, 7])));
    assert.ok(own !== undefined && anchored !== undefined);
    const shelf = new BundleShelf(nothingOnDisk);
    shelf.put(SHARD, 1, own, 'stored');
    shelf.anchored(SHARD, 1, anchored.summary, BEACON_HEIGHT);
    assert.equal(shelf.held().size, 0);
    shelf.anchored(SHARD, 1, own.summary, BEACON_HEIGHT);
    assert.equal(shelf.held().size, 1);
  });

  it('is there to be read at once where the beacon had anchored it before the block came', async () => {
    assert.deepEqual(await heldAfter(await createSignedChain(), 1), [`1/1/0 since ${BEACON_HEIGHT}`]);
  });
});
