// The ends of epochs, and the beacon's own instances, which begin and end with them.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { drawLayout, EVIDENCE_EPOCHS, isPermittedLayout } from '../../../src/core/beacon/epoch.ts';
import { beaconStartRecord, firstBeaconRecord, instanceOfRecord } from '../../../src/core/beacon/instance.ts';
import { committeeSeedOf } from '../../../src/core/beacon/seeds.ts';
import { stateRootOf } from '../../../src/core/beacon/state-root.ts';
import { applyBeaconBlock } from '../../../src/core/beacon/transition.ts';
import { worldRootOf } from '../../../src/core/beacon/world-root.ts';
import type { BlockBody } from '../../../src/core/protocol/block.ts';
import { installHashtree } from '../../../src/runtime/native/ssz-hashtree.ts';
import {
  advance,
  advanceTo,
  type Beacon,
  beaconOf,
  chainOf,
  crosslinkOf,
  encoded,
  entryOf,
  extend,
  nextInput,
  rootOf,
  smallGenesis,
} from './fixture.ts';

before(() => installHashtree());

/** Two shards, eight blocks an epoch, a grace of twelve. */
const twoShards = (): Beacon => beaconOf(smallGenesis({ validators: 6, layout: [2, 3] }));

const reasonOf = (beacon: Beacon, body: Partial<BlockBody>): string => {
  const verdict = applyBeaconBlock(nextInput(beacon, body));
  return verdict.ok ? 'accepted' : verdict.reason;
};

describe('the end of an epoch', () => {
  it('writes the world root, the next seed, and the layout and committees of the epoch after', () => {
    const beacon = twoShards();
    advanceTo(beacon, 6);
    const before = beacon.state;
    advance(beacon, {}, { nextLayout: () => [4, 5, 3] });
    const { state, constants } = beacon;
    assert.deepEqual(state.worldRoots, [worldRootOf(before)]);
    assert.deepEqual(
      state.seeds.map(({ epoch }) => epoch),
      [0, 1],
    );
    assert.deepEqual(state.seeds[1]?.seed, rootOf('seed', 7));
    const seed = committeeSeedOf(rootOf('seed', 7), 2);
    assert.deepEqual(state.layouts[2], drawLayout(constants, state.validators, { epoch: 2, shards: [4, 5, 3], seed }));
    assert.equal(before.layouts.length, 2);
  });

  it('comes in the last block but one, whose own crosslinks count; the last has no body', () => {
    const beacon = twoShards();
    advanceTo(beacon, 6);
    const chain = chainOf(beacon, entryOf(beacon, 2).record);
    extend(beacon, chain);
    extend(beacon, chain);
    advance(beacon, { crosslinks: [encoded(crosslinkOf(chain))] });
    assert.deepEqual(beacon.state.worldRoots, [worldRootOf(beacon.state)]);
    extend(beacon, chain);
    const crosslinks = [encoded(crosslinkOf(chain, { from: 2 }))];
    assert.equal(reasonOf(beacon, { crosslinks }), 'last-block-with-body');
    assert.equal(reasonOf(beacon, { evidence: [Uint8Array.of(1)] }), 'last-block-with-body');
    advance(beacon);
    assert.equal(beacon.state.layouts.length, 3);
    assert.equal(reasonOf(beacon, { crosslinks }), 'accepted');
  });

  it('forgets what evidence can no longer be of, but nothing of a record that is there', () => {
    const beacon = beaconOf(smallGenesis({ parameters: { takeoverGraceBlocks: 64 } }));
    advanceTo(beacon, 8 * 8);
    assert.equal(beacon.state.layouts[0]?.epoch, 0, 'the record of epoch 0 is still open');
    advanceTo(beacon, 8 * 9 + 1);
    assert.equal(entryOf(beacon, 1).record.epoch, 9);
    advanceTo(beacon, 8 * 10);
    const oldest = 10 - EVIDENCE_EPOCHS;
    assert.deepEqual(
      beacon.state.layouts.map(({ epoch }) => epoch),
      Array.from({ length: EVIDENCE_EPOCHS + 2 }, (_unused, index) => oldest + index),
    );
    assert.ok(beacon.state.instances.every(({ record }) => record.epoch >= oldest));
    assert.equal(beacon.state.worldRoots.length, 10, 'world roots stay for ever');
  });

  it('forgets epochs although a closed record waits for the roots of its children, as long as nobody brings them', () => {
    const beacon = twoShards();
    advanceTo(beacon, 6);
    advance(beacon, {}, { nextLayout: () => [4, 5, 3] });
    advanceTo(beacon, 8 * 40);
    assert.deepEqual(
      beacon.state.records.map(({ record, closed }) => [record.shard, record.epoch, closed]),
      [
        [2, 0, true],
        [3, 38, false],
      ],
    );
    assert.equal(beacon.state.layouts.length, EVIDENCE_EPOCHS + 2);
  });

  it('takes a layout only if each change is a split, or a merge of two, of what has a record of this epoch and is in the next one', () => {
    const beacon = beaconOf(smallGenesis({ validators: 6, layout: [4, 5, 3] }));
    advanceTo(beacon, 6);
    const permits = (...shards: number[]): boolean => isPermittedLayout(beacon.constants, beacon.state, shards);
    for (const good of [
      [4, 5, 3],
      [2, 3],
      [8, 9, 5, 3],
      [4, 5, 24, 25, 13, 7],
      [2, 6, 7],
    ])
      assert.ok(permits(...good), String(good));
    for (const bad of [[1], [3, 4, 5], [4, 5], [4, 5, 3, 3], []]) assert.ok(!permits(...bad), String(bad));
    advance(beacon, {}, { nextLayout: () => [2, 3] });
    advanceTo(beacon, 8 + 6);
    assert.ok(!permits(2, 6, 7), 'the records are of epoch 0 still');
    assert.ok(permits(2, 3));
    assert.ok(!permits(4, 5, 3), 'the merge has not happened');
    assert.throws(() => advance(beacon, {}, { nextLayout: () => [1] }), /invariant/);
  });
});

describe('a change of the layout', () => {
  it('leaves room for all records, whichever of its parts comes first', () => {
    const all = Array.from({ length: 1_024 }, (_unused, index) => 1_024 + index);
    const beacon = beaconOf(smallGenesis({ layout: all, parameters: { epochBlocks: 4 } }));
    advanceTo(beacon, 2);
    const merged = [512, ...all.slice(2)];
    assert.ok(isPermittedLayout(beacon.constants, beacon.state, all));
    assert.ok(isPermittedLayout(beacon.constants, beacon.state, merged));
    const mergedAndSplit = [...merged.slice(0, -1), 4_094, 4_095];
    assert.equal(mergedAndSplit.length, 1_024);
    assert.ok(!isPermittedLayout(beacon.constants, beacon.state, mergedAndSplit), 'there would be 1,025 records if the split came first');
  });
});

describe('the beacon’s own instances', () => {
  it('start from genesis, then from the last block of each epoch and the state after it', () => {
    const beacon = twoShards();
    const first = firstBeaconRecord(beacon.state);
    assert.deepEqual(
      [first.shard, first.epoch, first.beaconHeight, first.height, first.timestampMs, first.baseFeePerGasWei],
      [0, 0, 0, 0, 1_000, 0n],
    );
    assert.deepEqual([first.stateRoot, first.seed], [stateRootOf(beacon.state), rootOf('genesis seed')]);
    assert.equal(instanceOfRecord(beacon.constants, beacon.state, first).committee.totalSeats, 6);
    advance(beacon);
    assert.deepEqual(beacon.state.instances.at(-1)?.record, first);
    advanceTo(beacon, 8);
    const next = beaconStartRecord(beacon.constants, beacon.state, rootOf('beacon', 8));
    assert.deepEqual(next, {
      shard: 0,
      epoch: 1,
      beaconHeight: 8,
      closingHeaders: [rootOf('beacon', 8)],
      stateRoot: stateRootOf(beacon.state),
      height: 8,
      timestampMs: beacon.state.timestampMs,
      baseFeePerGasWei: 0n,
      seed: rootOf('seed', 7),
    });
    advance(beacon);
    const known = beacon.state.instances.at(-1);
    assert.deepEqual(known?.record, next);
    assert.deepEqual(known?.instanceId, instanceOfRecord(beacon.constants, beacon.state, next).instanceId);
    assert.throws(() => beaconStartRecord(beacon.constants, beacon.state, rootOf('beacon', 9)), /invariant/);
  });
});
