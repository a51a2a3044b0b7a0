// Which shards a validator runs: by the committees that it is in, of instances that go on and of epochs to come.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { followersOf, isRunByAll, ownShards } from '../../../src/core/beacon/own-shards.ts';
import type { BeaconState, RecordEntry } from '../../../src/core/beacon/state.ts';
import { beaconOf, entryOf, smallGenesis } from './fixture.ts';

const LAYOUT = [4, 5, 6, 7];

/** Committees by epoch: of each shard of the layout the validators. */
function stateWith(committees: Readonly<Record<number, readonly (readonly number[])[]>>, recordEpoch = 2): BeaconState {
  const { state } = beaconOf(smallGenesis({ validators: 8, layout: LAYOUT, parameters: { committeeSeats: 4 } }));
  const beaconMembers = state.layouts[0]?.beaconMembers ?? [];
  const layouts = Object.entries(committees).map(([epoch, members]) => ({
    epoch: Number(epoch),
    beaconMembers,
    shards: LAYOUT.map((shard, place) => ({ shard, members: (members[place] ?? []).map((validator) => ({ validator, seats: 1 })) })),
  }));
  const records = state.records.map((entry): RecordEntry => ({ ...entry, record: { ...entry.record, epoch: recordEpoch } }));
  return { ...state, layouts, records };
}

describe('the shards of a validator', () => {
  const committees = {
    1: [[5], [5], [5], [5]],
    2: [
      [0, 1],
      [2, 3],
      [0, 2],
      [1, 3],
    ],
    3: [
      [2, 3],
      [0, 1],
      [0, 2],
      [1, 3],
    ],
    4: [[4], [4], [4], [0]],
  };

  it('are those of whose records in force it is a member, and of every epoch that is decided', () => {
    const state = stateWith(committees);
    assert.deepEqual([...ownShards(state, 2, 0)], [4, 5, 6, 7]);
    assert.deepEqual([...ownShards(state, 2, 1)], [4, 5, 7]);
    assert.deepEqual([...ownShards(state, 2, 4)], [4, 5, 6]);
    assert.deepEqual([...ownShards(state, 2, 5)], [], 'its epoch is over');
    assert.deepEqual([...ownShards(state, 2, 7)], []);
  });

  it('go on with an instance that outlasts its epoch', () => {
    const state = stateWith(committees, 1);
    assert.deepEqual([...ownShards(state, 3, 5)], LAYOUT);
    assert.deepEqual([...ownShards(state, 3, 3)], [4, 7], 'what it would have run in an epoch that was skipped is nothing to it');
  });

  it('are told to those who ask for what a shard has', () => {
    const state = stateWith(committees);
    assert.deepEqual(followersOf(state, 2, 4), [0, 1, 2, 3, 4]);
    assert.deepEqual(followersOf(state, 3, 7), [1, 3, 0]);
  });
});

describe('a shard that every validator runs', () => {
  it('is one with as many members as the beacon has', () => {
    for (const [seats, isAll] of [
      [8, true],
      [20, true],
      [7, false],
      [4, false],
    ] as const) {
      const beacon = beaconOf(smallGenesis({ validators: 8, layout: LAYOUT, parameters: { committeeSeats: seats } }));
      assert.equal(isRunByAll(beacon.state, entryOf(beacon, 5)), isAll, `${seats} seats`);
    }
  });
});
