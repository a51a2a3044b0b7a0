// The beacon over many epochs of random layouts, stalls, takeovers, splits and merges: what holds in every state.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { BeaconState, type RecordEntry } from '../../../src/core/beacon/state.ts';
import { stateRootOf } from '../../../src/core/beacon/state-root.ts';
import { worldRootOf } from '../../../src/core/beacon/world-root.ts';
import { ROOT_SHARD } from '../../../src/core/primitives/ids.ts';
import { checkLayout } from '../../../src/core/protocol/layout.ts';
import { isWithin } from '../../../src/core/protocol/subtrees.ts';
import { installHashtree } from '../../../src/runtime/native/ssz-hashtree.ts';
import { createWorld, LEAVES, rootOverLeaves, type World } from './shard-model.ts';

const SEEDS = 3;
const BLOCKS = 8 * 12;
const QUIET_BLOCKS = 8 * 5;

before(() => installHashtree());

/** What is counted, so that a model in which nothing happens is no success. */
const seen = { splits: 0, merges: 0, takeovers: 0, retired: 0, dropped: 0, unread: 0, twoLevels: 0, waiting: 0 };

function holds(world: World, before: readonly RecordEntry[], listedBefore: number): void {
  const { state } = world.beacon;
  const shards = state.records.map(({ record }) => record.shard);
  const layout = checkLayout(shards);
  assert.ok(layout.ok, 'records are the whole tree, each part once');
  assert.deepEqual(layout.value, shards, 'from left to right');
  assert.deepEqual(worldRootOf(state), rootOverLeaves(ROOT_SHARD, world.finalLeaves), 'the world is what crosslinks made of it');
  for (const leaf of LEAVES) {
    const heightIn = (records: readonly RecordEntry[]): number =>
      records.find(({ record }) => isWithin(leaf, record.shard))?.progress.height ?? -1;
    assert.ok(heightIn(state.records) >= heightIn(before), `heights never go back at ${leaf}`);
  }
  for (const { record } of before) {
    const entry = state.records.find((other) => other.record.shard === record.shard && other.record.epoch === record.epoch);
    if (entry !== undefined && !entry.closed) continue;
    const isClosed = world.closedByCommittee.has(`${record.shard}/${record.epoch}`) || state.height > 8 * (record.epoch + 1) + 12;
    assert.ok(isClosed, `shard ${record.shard} of epoch ${record.epoch} was still running`);
  }
  const listed = new Set(state.sources.map(({ shard }) => shard));
  for (const shard of shards) assert.ok(listed.has(shard), `shard ${shard} has a record and is a source`);
  for (const { source, height, leaf } of world.unread)
    assert.ok(listed.has(source), `${leaf} has not read height ${height} of ${source}, and it is no source any more`);
  seen.unread += world.unread.length;
  const paidWei = state.rewardsWei.reduce((sum, wei) => sum + wei, 0n) + state.burnedFeesWei;
  assert.equal(paidWei, world.feesWei, 'what headers charged is owed or burned');
  if (state.records.some(({ closed }) => closed)) seen.waiting++;
  seen.retired += state.sources.length - shards.length;
  if (state.sources.length < listedBefore) seen.dropped++;
}

describe('over many epochs', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`records, world root, heights, sources and fees are right in every state (seed ${seed})`, () => {
      const world = createWorld(seed);
      for (let block = 0; block < BLOCKS + QUIET_BLOCKS; block++) {
        const { records, sources } = world.beacon.state;
        const { newRecords } = world.step(block >= BLOCKS);
        holds(world, records, sources.length);
        for (const record of newRecords) {
          const parents = records.filter(({ record: { shard } }) => isWithin(shard, record.shard) || isWithin(record.shard, shard));
          if (record.closingHeaders.length === 2) seen.merges++;
          else if (parents[0]?.record.shard !== record.shard) seen.splits++;
          if (newRecords.length > 2 && record.shard >>> 2 === parents[0]?.record.shard) seen.twoLevels++;
        }
      }
      const { state } = world.beacon;
      assert.deepEqual(stateRootOf(state), BeaconState.hashTreeRoot(state as never));
      assert.deepEqual(
        state.sources.map(({ shard }) => shard),
        state.records.map(({ record }) => record.shard).sort((a, b) => a - b),
        'when all is read, no retired source is left',
      );
      assert.ok(state.records.every(({ closed }) => !closed));
      seen.takeovers += world.takenOver.size;
    });
  }

  it('everything happened', () => {
    for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, `${what}: ${JSON.stringify(seen)}`);
  });
});
