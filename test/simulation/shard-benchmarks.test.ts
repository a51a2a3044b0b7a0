// The parts of the benchmarks of shards that compute: which transfers cross, and what of a transfer's way took how long.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type BlockTimes, stepsOf } from '../../bench/shards/steps.ts';
import { plannedTransfer } from '../../bench/shards/transfer-mix.ts';

describe('the transfers of bench:shards', () => {
  for (const shards of [1, 2, 4]) {
    for (const crossPercent of [0, 20, 50, 100]) {
      it(`of ${shards} shards cross in ${crossPercent} of a hundred cases, from each shard and to each alike`, () => {
        const planned = Array.from({ length: 1_200 * shards }, (_unused, number) => plannedTransfer(number, shards, crossPercent));
        const crossing = planned.filter(({ from, to }) => from !== to);
        assert.equal(crossing.length, shards === 1 ? 0 : (planned.length * crossPercent) / 100);
        for (let shard = 0; shard < shards; shard++) {
          assert.equal(planned.filter(({ from }) => from === shard).length, planned.length / shards);
          assert.equal(crossing.filter(({ to }) => to === shard).length, crossing.length / shards);
        }
      });
    }
  }

  it('take every sender of a shard in turn', () => {
    const senders = Array.from({ length: 40 }, (_unused, number) => plannedTransfer(number, 4, 50)).filter(({ from }) => from === 2);
    assert.deepEqual(
      senders.map(({ sender }) => sender),
      Array.from({ length: 10 }, (_unused, place) => place),
    );
  });
});

describe('the steps of a transfer', () => {
  const blocks = new Map([
    ['2 7', 100],
    ['2 8', 130],
    ['3 9', 400],
    ['3 10', 420],
  ]);
  const crosslinks = new Map([
    ['2 8', 250],
    ['3 10', 500],
  ]);
  const times = (takenHeight: number | undefined): BlockTimes => ({
    sentIn: () => ({ shard: 2, height: 7 }),
    takenIn: () => (takenHeight === undefined ? undefined : { shard: 3, height: takenHeight }),
    timestampMs: ({ shard, height }) => blocks.get(`${shard} ${height}`),
    crosslinkedAtMs: ({ shard, height }) => crosslinks.get(`${shard} ${height}`),
  });
  const seen = { hash: '00', sentAtMs: 90, finalAtMs: 560 };

  it('add up to the whole, within a shard and across', () => {
    const within = stepsOf(times(undefined), seen);
    assert.deepEqual(Object.fromEntries(within ?? []), { shardBlock: 10, nextBlock: 30, crosslink: 120, view: 310 });
    const across = stepsOf(times(9), seen);
    assert.deepEqual([...(across ?? new Map()).values()], [10, 30, 120, 150, 20, 80, 60]);
    for (const steps of [within, across]) assert.equal(sum([...(steps ?? new Map()).values()]), seen.finalAtMs - seen.sentAtMs);
  });

  it('are not told where a block is missing', () => {
    assert.equal(stepsOf(times(10), seen), undefined);
  });
});

function sum(values: readonly number[]): number {
  return values.reduce((before, value) => before + value, 0);
}
