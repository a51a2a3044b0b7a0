// The parts of the benchmarks of shards that compute: which transfers cross, what of a transfer's way took how long, what became of every transaction.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drawWish, HOT_KINDS, KIND_PERCENT } from '../../bench/hot-shard/demand.ts';
import { Ledger } from '../../bench/hot-shard/ledger.ts';
import { greatestOf, parseGauges } from '../../bench/hot-shard/node-gauges.ts';
import { type BlockTimes, stepsOf } from '../../bench/shards/steps.ts';
import { plannedTransfer } from '../../bench/shards/transfer-mix.ts';
import { SeededRandom } from '../../src/simulation/random.ts';

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

describe('the ledger of bench:hot-shard', () => {
  const sent = (ledger: Ledger, ...hashes: readonly string[]): void => {
    for (const [user, hash] of hashes.entries()) ledger.sent({ hash, kind: 'transfer', user, sentAtMs: user });
  };

  it('has each transaction in one place', () => {
    const ledger = new Ledger();
    sent(ledger, 'final', 'refused', 'gone', 'waiting', 'gone, and final after all');
    ledger.final('final');
    ledger.refused('refused', 'txpool is full');
    ledger.gone('gone');
    ledger.gone('gone, and final after all');
    assert.equal(ledger.final('gone, and final after all')?.user, 4);
    const { final, refused, evicted, underWay, ...others } = ledger.sums;
    assert.deepEqual({ final, refused, evicted, underWay }, { final: 2, refused: { 'txpool is full': 1 }, evicted: 1, underWay: 1 });
    assert.equal(others.sent, 5);
    assert.deepEqual(ledger.goneHashes, ['gone']);
  });

  it('takes nothing twice, and says who has waited for long', () => {
    const ledger = new Ledger();
    sent(ledger, 'a', 'b', 'c');
    assert.ok(ledger.final('a') !== undefined && ledger.final('a') === undefined && ledger.refused('a', 'late') === undefined);
    assert.deepEqual(
      ledger.waitingSince(1).map(({ hash }) => hash),
      ['b'],
    );
  });
});

describe('the users of the hot shard', () => {
  it('want what the shares say, at prices over three orders of magnitude', () => {
    const random = new SeededRandom(1, 'demand');
    const wishes = Array.from({ length: 20_000 }, () => drawWish(random));
    for (const kind of HOT_KINDS) {
      const percent = (100 * wishes.filter((wish) => wish.kind === kind).length) / wishes.length;
      assert.ok(Math.abs(percent - KIND_PERCENT[kind]) < 1.5, `${percent} % ${kind}`);
    }
    const bids = wishes.map(({ maxFeeWei }) => Number(maxFeeWei) / 1e9).sort((a, b) => a - b);
    assert.ok((bids[0] as number) >= 1 && (bids.at(-1) as number) <= 2_000);
    assert.ok(Math.abs((bids[10_000] as number) - Math.sqrt(2_000)) < 5, 'as many below the geometric mean as above');
  });
});

describe('the gauges of a node', () => {
  it('are the fees of its chains and the longest of its queues', () => {
    const page = [
      '# HELP coppice_base_fee_wei Base fee',
      'coppice_base_fee_wei{chain="4"} 100000000',
      'coppice_base_fee_wei{chain="5"} 2.5e+9',
      'coppice_blocks_held{chain="4"} 2',
      'coppice_blocks_held{chain="0"} 7',
      'coppice_mempool_transactions 33',
      'coppice_unknown 5',
    ].join('\n');
    const { baseFeeGwei, queues } = parseGauges(page);
    assert.deepEqual(
      [...baseFeeGwei],
      [
        [4, 0.1],
        [5, 2.5],
      ],
    );
    assert.equal(queues.coppice_blocks_held, 7);
    assert.equal(queues.coppice_mempool_transactions, 33);
    assert.equal(greatestOf(queues, { ...queues, coppice_mailbox_events: 9 }).coppice_mailbox_events, 9);
  });
});

function sum(values: readonly number[]): number {
  return values.reduce((before, value) => before + value, 0);
}
