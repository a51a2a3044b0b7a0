// The beacon's transition, block by block: genesis, crosslinks and what they do, takeovers and start records.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drawCommittees } from '../../../src/core/beacon/committees.ts';
import { STAKE_PER_SEAT_GWEI } from '../../../src/core/beacon/genesis-state.ts';
import { NO_LOAD } from '../../../src/core/beacon/load.ts';
import { committeeSeedOf, recordSeedOf } from '../../../src/core/beacon/seeds.ts';
import { FAR_FUTURE_EPOCH, layoutOfEpoch, shardsOf } from '../../../src/core/beacon/state.ts';
import { applyBeaconBlock } from '../../../src/core/beacon/transition.ts';
import { joinedRoot, worldRootOf } from '../../../src/core/beacon/world-root.ts';
import { hash64 } from '../../../src/core/crypto/sha256.ts';
import { ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import type { BlockBody } from '../../../src/core/protocol/block.ts';
import { StartRecord } from '../../../src/core/protocol/committee.ts';
import {
  advance,
  advanceTo,
  type Beacon,
  beaconOf,
  chainOf,
  crosslinkOf,
  emitting,
  encoded,
  entryOf,
  extend,
  extendByCarrier,
  nextInput,
  outboxTo,
  rootOf,
  smallGenesis,
} from './fixture.ts';

/** Two shards, eight blocks an epoch, a grace of twelve. */
const twoShards = (): Beacon => beaconOf(smallGenesis({ validators: 6, layout: [2, 3] }));

const reasonOf = (beacon: Beacon, body: Partial<BlockBody>): string => {
  const verdict = applyBeaconBlock(nextInput(beacon, body));
  return verdict.ok ? 'accepted' : verdict.reason;
};

describe('the state at genesis', () => {
  const genesis = smallGenesis({ validators: 6, layout: [4, 5, 3] });
  const { constants, state } = beaconOf({
    ...genesis,
    validators: genesis.validators.map((validator, index) => ({ ...validator, seats: index + 1 })),
  });

  it('has every validator active, with 32 coins a seat', () => {
    assert.equal(constants.totalSeats, 21);
    for (const [index, { stakeGwei, activationEpoch, exitEpoch, slashed }] of state.validators.entries()) {
      assert.equal(stakeGwei, BigInt(index + 1) * STAKE_PER_SEAT_GWEI);
      assert.deepEqual([activationEpoch, exitEpoch, slashed], [0, FAR_FUTURE_EPOCH, false]);
    }
  });

  it('has committees of epochs 0 and 1, drawn with the seed of genesis, and all validators with all seats for the beacon', () => {
    assert.deepEqual(
      state.layouts.map(({ epoch }) => epoch),
      [0, 1],
    );
    const holders = state.validators.map((_validator, validator) => ({ validator, seats: validator + 1 }));
    for (const layout of state.layouts) {
      assert.deepEqual(layout.beaconMembers, holders);
      const seed = committeeSeedOf(genesis.seed, layout.epoch);
      assert.deepEqual(layout.shards, drawCommittees({ seed, shards: [4, 5, 3], holders, committeeSeats: 4 }));
    }
    assert.notDeepEqual(state.layouts[0]?.shards, state.layouts[1]?.shards);
  });

  it('has an open record of each shard from height 0, with the seed of its place', () => {
    for (const [index, shard] of [4, 5, 3].entries()) {
      const entry = state.records[index];
      assert.equal(entry?.closed, false);
      assert.deepEqual(entry.record, {
        shard,
        epoch: 0,
        beaconHeight: 0,
        closingHeaders: [],
        stateRoot: rootOf('state', shard),
        height: 0,
        timestampMs: 1_000,
        baseFeePerGasWei: genesis.parameters.baseFeePerGasWeiMin,
        seed: recordSeedOf(genesis.seed, shard, 0),
      });
      assert.deepEqual(entry.progress.hash, StartRecord.hashTreeRoot(entry.record));
    }
    assert.deepEqual(
      state.sources.map(({ shard, startHeight }) => [shard, startHeight]),
      [
        [3, 0],
        [4, 0],
        [5, 0],
      ],
    );
  });
});

describe('the world root', () => {
  it('is the Merkle root over the shards’ roots at their places, and two empty halves are empty', () => {
    const [a, b, c] = [rootOf('a'), rootOf('b'), rootOf('c')];
    const parts = [
      { shard: 4, stateRoot: a },
      { shard: 5, stateRoot: b },
      { shard: 3, stateRoot: c },
    ];
    assert.deepEqual(joinedRoot(1, parts), hash64(hash64(a, b), c));
    const empty = (shard: number) => ({ shard, stateRoot: ZERO_32 });
    assert.deepEqual(joinedRoot(1, [empty(2), empty(3)]), ZERO_32);
    assert.deepEqual(joinedRoot(1, [empty(2), { shard: 3, stateRoot: c }]), hash64(ZERO_32, c));
    assert.throws(() => joinedRoot(1, parts.slice(1)), /gap/);
  });
});

describe('a crosslink', () => {
  it('moves the record’s progress to the last header, and the state to the one that it commits', () => {
    const beacon = twoShards();
    advance(beacon);
    const chain = chainOf(beacon, entryOf(beacon, 2).record);
    for (let index = 0; index < 3; index++) extend(beacon, chain);
    const before = worldRootOf(beacon.state);
    advance(beacon, { crosslinks: [encoded(crosslinkOf(chain))] });
    const { progress } = entryOf(beacon, 2);
    const last = chain.headers[2];
    assert.deepEqual(
      [progress.hash, progress.height, progress.round, progress.referenceHeight, progress.proposer],
      [chain.hashes[2], 3, 3, 1, last?.proposer],
    );
    assert.deepEqual(progress.stateRoot, last?.parentExecution.stateRoot);
    assert.notDeepEqual(worldRootOf(beacon.state), before);
  });

  it('of an instance’s first header alone keeps the load of the record, for that header commits no block’s', () => {
    const beacon = twoShards();
    advance(beacon);
    const load = { ...NO_LOAD, whole: { ...NO_LOAD.whole, gas: 7 } };
    const { state } = beacon;
    const records = state.records.map((entry) => ({ ...entry, progress: { ...entry.progress, load } }));
    beacon.state = { ...state, records };
    const chain = chainOf(beacon, entryOf(beacon, 2).record);
    extend(beacon, chain);
    advance(beacon, { crosslinks: [encoded(crosslinkOf(chain))] });
    assert.deepEqual(entryOf(beacon, 2).progress.load, load);
    const second = extend(beacon, chain);
    advance(beacon, { crosslinks: [encoded(crosslinkOf(chain, { from: 1 }))] });
    assert.deepEqual(entryOf(beacon, 2).progress.load, second.parentExecution.load);
  });

  it('owes each execution’s fees to the proposer of the block executed, over two crosslinks too, and counts what was burned', () => {
    const beacon = twoShards();
    advance(beacon);
    const chain = chainOf(beacon, entryOf(beacon, 2).record);
    const owed = beacon.state.validators.map(() => 0n);
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 3; index++) {
        const parent = chain.headers.at(-1);
        const feesWei = parent === undefined ? 0n : BigInt(100 + 10 * round + index);
        extend(beacon, chain, { execution: { proposerFeesWei: feesWei, burnedFeesWei: 3n * feesWei } });
        if (parent !== undefined) owed[parent.proposer] = (owed[parent.proposer] as bigint) + feesWei;
      }
      advance(beacon, { crosslinks: [encoded(crosslinkOf(chain, { from: 3 * round }))] });
    }
    assert.deepEqual(beacon.state.rewardsWei, owed);
    assert.equal(beacon.state.burnedFeesWei, 3n * owed.reduce((sum, wei) => sum + wei, 0n));
  });

  it('anchors the outboxes of the heights below its headers, in the order of the body', () => {
    const beacon = twoShards();
    advance(beacon);
    const [left, right] = [2, 3].map((shard) => chainOf(beacon, entryOf(beacon, shard).record));
    if (left === undefined || right === undefined) throw new Error('two chains');
    const sent = outboxTo(2, 3);
    extend(beacon, left);
    extend(beacon, left, { execution: emitting(sent) });
    extend(beacon, left);
    extend(beacon, right);
    extend(beacon, right, { execution: emitting(sent) });
    const crosslinks = [right, left].map((chain) => encoded(crosslinkOf(chain, { outboxes: new Map([[1, sent]]) })));
    const { anchoredOutboxes } = advance(beacon, { crosslinks });
    assert.deepEqual(
      anchoredOutboxes.map(({ source, height, beaconHeight, operationIndex }) => [source, height, beaconHeight, operationIndex]),
      [
        [3, 1, 2, 0],
        [2, 1, 2, 1],
      ],
    );
    assert.deepEqual(anchoredOutboxes[0]?.summary, sent);
    assert.deepEqual(beacon.state.sources, [
      { shard: 2, startHeight: 0, anchoredHeight: 2, lastBundleHeight: 1 },
      { shard: 3, startHeight: 0, anchoredHeight: 1, lastBundleHeight: 1 },
    ]);
  });

  it('is applied to the state after the one before it in the body, and an invalid one makes the block invalid', () => {
    const beacon = twoShards();
    advance(beacon);
    const chain = chainOf(beacon, entryOf(beacon, 2).record);
    extend(beacon, chain);
    const first = encoded(crosslinkOf(chain));
    extend(beacon, chain);
    const second = encoded(crosslinkOf(chain, { from: 1 }));
    assert.equal(reasonOf(beacon, { crosslinks: [second] }), 'wrong-parent');
    assert.equal(reasonOf(beacon, { crosslinks: [first, first] }), 'wrong-parent');
    assert.equal(reasonOf(beacon, { crosslinks: [first, second] }), 'accepted');
    const verdict = applyBeaconBlock(nextInput(beacon, { crosslinks: [first, second] }));
    assert.ok(verdict.ok && verdict.value.claims.length === 4);
  });

  it('of a closing header closes the record, which is replaced in the same block, with the closing header’s height, time and price', () => {
    const beacon = twoShards();
    advance(beacon);
    const chain = chainOf(beacon, entryOf(beacon, 2).record);
    extend(beacon, chain);
    advanceTo(beacon, 9);
    const closing = extend(beacon, chain, { execution: { cursors: [{ source: 3, prefix: 2, height: 4, index: 0 }] } });
    extendByCarrier(chain);
    const { newRecords } = advance(beacon, { crosslinks: [encoded(crosslinkOf(chain, { carriers: 1 }))] });
    const { height, timestampMs, baseFeePerGasWei } = closing;
    const { stateRoot, cursors } = closing.parentExecution;
    assert.deepEqual(newRecords, [
      {
        shard: 2,
        epoch: 1,
        beaconHeight: 10,
        closingHeaders: [chain.hashes[1]],
        stateRoot,
        height,
        timestampMs,
        baseFeePerGasWei,
        seed: recordSeedOf(rootOf('seed', 7), 2, 1),
      },
    ]);
    const entry = entryOf(beacon, 2);
    assert.deepEqual([entry.closed, entry.progress.round, entry.progress.referenceHeight], [false, 0, 10]);
    assert.deepEqual(entry.progress.cursors, cursors);
  });
});

describe('a takeover', () => {
  it('comes with the first block after the grace, at the last crosslinked header and with the state that it commits', () => {
    const beacon = twoShards();
    advance(beacon);
    const chain = chainOf(beacon, entryOf(beacon, 3).record);
    for (let index = 0; index < 3; index++) extend(beacon, chain);
    advance(beacon, { crosslinks: [encoded(crosslinkOf(chain))] });
    const root = worldRootOf(beacon.state);
    advanceTo(beacon, 8 + 12);
    assert.equal(entryOf(beacon, 3).record.epoch, 0);
    const { newRecords } = advance(beacon);
    assert.deepEqual(
      newRecords.map(({ shard, epoch, height, closingHeaders }) => [shard, epoch, height, closingHeaders.length]),
      [
        [2, 2, 0, 1],
        [3, 2, 3, 1],
      ],
    );
    assert.deepEqual(newRecords[1]?.stateRoot, chain.headers[2]?.parentExecution.stateRoot);
    assert.deepEqual(newRecords[1]?.closingHeaders, [chain.hashes[2]]);
    assert.deepEqual(worldRootOf(beacon.state), root);
    extend(beacon, chain);
    assert.equal(reasonOf(beacon, { crosslinks: [encoded(crosslinkOf(chain, { from: 3 }))] }), 'unknown-record');
  });

  it('comes after the block’s crosslinks: one that closes in that block is not taken over', () => {
    const beacon = twoShards();
    advanceTo(beacon, 20);
    const chain = chainOf(beacon, entryOf(beacon, 3).record);
    extend(beacon, chain, { timestampMs: 9_999 });
    const { newRecords } = advance(beacon, { crosslinks: [encoded(crosslinkOf(chain))] });
    assert.deepEqual(newRecords.find(({ shard }) => shard === 3)?.closingHeaders, [chain.hashes[0]]);
    assert.equal(newRecords.find(({ shard }) => shard === 3)?.timestampMs, 9_999);
  });
});

describe('start records', () => {
  it('follow a merge when both are closed, with the greater height, time and price and the joined root', () => {
    const beacon = twoShards();
    advanceTo(beacon, 6);
    advance(beacon, {}, { nextLayout: () => [1] });
    advanceTo(beacon, 17);
    const [left, right] = [2, 3].map((shard) => chainOf(beacon, entryOf(beacon, shard).record));
    if (left === undefined || right === undefined) throw new Error('two chains');
    extend(beacon, left, { timestampMs: 70_000, execution: { cursors: [{ source: 3, prefix: 2, height: 1, index: 0 }] } });
    extend(beacon, right, { beaconReference: { height: 8, hash: rootOf('beacon', 8) } });
    extend(beacon, right, { baseFeePerGasWei: 10n ** 12n, execution: { cursors: [{ source: 2, prefix: 3, height: 2, index: 1 }] } });
    assert.deepEqual(advance(beacon, { crosslinks: [encoded(crosslinkOf(left))] }).newRecords, []);
    assert.equal(entryOf(beacon, 2).closed, true);
    const { newRecords } = advance(beacon, { crosslinks: [encoded(crosslinkOf(right))] });
    const stateRoot = hash64(rootOf('state', 2), right.headers[1]?.parentExecution.stateRoot ?? ZERO_32);
    assert.deepEqual(newRecords, [
      {
        shard: 1,
        epoch: 2,
        beaconHeight: 19,
        closingHeaders: [left.hashes[0], right.hashes[1]],
        stateRoot,
        height: 2,
        timestampMs: 70_000,
        baseFeePerGasWei: 10n ** 12n,
        seed: recordSeedOf(rootOf('seed', 15), 1, 2),
      },
    ]);
    assert.deepEqual(
      entryOf(beacon, 1).progress.cursors.map(({ source, prefix }) => [source, prefix]),
      [
        [2, 3],
        [3, 2],
      ],
    );
    assert.deepEqual(
      beacon.state.sources.map(({ shard, startHeight }) => [shard, startHeight]),
      [
        [1, 2],
        [2, 0],
        [3, 0],
      ],
      'retired ones stay: neither half had a cursor for both',
    );
  });
});

describe('a body is refused', () => {
  it('when it holds what only shards have a use for', () => {
    for (const part of ['inbox', 'transactions', 'bundleIndexes', 'pointerProofs'] as const) {
      assert.equal(reasonOf(twoShards(), { [part]: [Uint8Array.of(1)] }), 'body-part-not-permitted', part);
    }
  });

  it('when its block is not the next one', () => {
    const input = nextInput(twoShards());
    const verdict = applyBeaconBlock({ ...input, block: { ...input.block, height: 2 } });
    assert.ok(!verdict.ok && verdict.reason === 'wrong-height');
  });
});

describe('a layout of an epoch', () => {
  it('is found while it is kept', () => {
    const { state } = twoShards();
    const layout = layoutOfEpoch(state, 1);
    assert.deepEqual(layout && shardsOf(layout), [2, 3]);
    assert.equal(layoutOfEpoch(state, 2), undefined);
  });
});
