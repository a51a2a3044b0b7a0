// The draw of committees: every seat serves its turn, no seat serves twice at once, and one seed gives one draw.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type CommitteeDraw, drawCommittees, type SeatHolder, type ShardCommittee } from '../../../src/core/beacon/committees.ts';
import { shuffledOrder } from '../../../src/core/beacon/shuffle.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';

const PINNED_SMALL: readonly string[] = ['4: 1×2 7×1 10×1', '5: 1×1 4×1 7×1 10×1', '3: 1×2 7×1 10×1'];
const PINNED_LARGE = '50f635a7b9b2bafd9aff6453c41b47cc80bcac9b84bbfae88a63bb53a92f7143';

const seatsIn = (holders: readonly SeatHolder[]): number => holders.reduce((sum, { seats }) => sum + seats, 0);
const seatsOf = (holders: readonly SeatHolder[], validator: number): number =>
  holders.find((holder) => holder.validator === validator)?.seats ?? 0;

/** Shards of one depth, all of them or the first few. */
const shardsOf = (count: number): number[] => Array.from({ length: count }, (_unused, index) => 64 + index);

/** Holders with gaps between their validator indices. */
const holdersOf = (seats: readonly number[], step = 3): SeatHolder[] =>
  seats.map((each, index) => ({ validator: 1 + step * index, seats: each }));

const anyDraw: fc.Arbitrary<CommitteeDraw> = fc.record({
  seed: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  shards: fc.integer({ min: 1, max: 40 }).map(shardsOf),
  holders: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 30 }).map((seats) => holdersOf(seats)),
  committeeSeats: fc.integer({ min: 1, max: 120 }),
});

describe('the committees of an epoch', () => {
  it('are as many as shards, in their order, each of the seats of a committee or of all that there are', () => {
    fc.assert(
      fc.property(anyDraw, (draw) => {
        const committees = drawCommittees(draw);
        assert.deepEqual(
          committees.map(({ shard }) => shard),
          draw.shards,
        );
        const size = Math.min(draw.committeeSeats, seatsIn(draw.holders));
        for (const { members } of committees) assert.equal(seatsIn(members), size);
      }),
    );
  });

  it('give a validator no more seats than it holds, and list members by index', () => {
    fc.assert(
      fc.property(anyDraw, (draw) => {
        for (const { members } of drawCommittees(draw)) {
          for (const [place, { validator, seats }] of members.entries()) {
            assert.ok(seats >= 1 && seats <= seatsOf(draw.holders, validator));
            assert.ok(place === 0 || (members[place - 1] as SeatHolder).validator < validator);
          }
        }
      }),
    );
  });

  it('use every seat equally often, but for one', () => {
    fc.assert(
      fc.property(anyDraw, (draw) => {
        const committees = drawCommittees(draw);
        const served = committees.reduce((sum, { members }) => sum + seatsIn(members), 0);
        const least = Math.floor(served / seatsIn(draw.holders));
        const most = Math.ceil(served / seatsIn(draw.holders));
        for (const { validator, seats } of draw.holders) {
          const turns = committees.reduce((sum, { members }) => sum + seatsOf(members, validator), 0);
          assert.ok(turns >= least * seats && turns <= most * seats);
        }
      }),
    );
  });

  it('follow one another through the shuffled seats, going round at the end', () => {
    // One seat a validator, so that a committee shows its seats.
    const holders = holdersOf(new Array<number>(10).fill(1), 1);
    const seed = sha256(Uint8Array.of(7));
    const order = [...shuffledOrder(10, seed)].map((seat) => seat + 1);
    const committees = drawCommittees({ seed, shards: [8, 9, 5, 3], holders, committeeSeats: 4 });
    const expected = [order.slice(0, 4), order.slice(4, 8), [...order.slice(8), ...order.slice(0, 2)], order.slice(2, 6)];
    assert.deepEqual(
      committees.map(({ members }) => members.map(({ validator }) => validator)),
      expected.map((seats) => seats.toSorted((a, b) => a - b)),
    );
  });

  it('are all seats where a committee would have more than there are', () => {
    const holders = holdersOf([2, 1, 3]);
    for (const committeeSeats of [6, 7, 400]) {
      for (const { members } of drawCommittees({ seed: sha256(), shards: [2, 3], holders, committeeSeats })) {
        assert.deepEqual(members, holders);
      }
    }
  });

  it('depend on the seed, and on nothing that is not given', () => {
    const draw = { shards: shardsOf(8), holders: holdersOf(new Array<number>(50).fill(2)), committeeSeats: 20 };
    const first = drawCommittees({ ...draw, seed: sha256(Uint8Array.of(1)) });
    assert.deepEqual(drawCommittees({ ...draw, seed: sha256(Uint8Array.of(1)) }), first);
    assert.notDeepEqual(drawCommittees({ ...draw, seed: sha256(Uint8Array.of(2)) }), first);
  });

  it('are refused to a caller that does not keep the order', () => {
    const draw: CommitteeDraw = { seed: sha256(), shards: [4, 5, 3], holders: holdersOf([1, 1]), committeeSeats: 1 };
    assert.equal(drawCommittees(draw).length, 3);
    const wrong: readonly Partial<CommitteeDraw>[] = [
      { shards: [5, 4, 3] },
      { shards: [4, 4, 3] },
      { shards: [2, 4, 3] },
      { shards: [0, 1] },
      { holders: [] },
      { holders: holdersOf([1, 0]) },
      { holders: holdersOf([1, 1]).toReversed() },
      { holders: holdersOf([1, 1], 0) },
      { committeeSeats: 0 },
      { committeeSeats: 1.5 },
    ];
    for (const part of wrong) assert.throws(() => drawCommittees({ ...draw, ...part }), /invariant/, JSON.stringify(part));
  });

  it('are pinned', () => {
    const seed = new Uint8Array(createHash('sha256').update('coppice').digest());
    const small = drawCommittees({ seed, shards: [4, 5, 3], holders: holdersOf([3, 1, 2, 2]), committeeSeats: 4 });
    assert.deepEqual(small.map(shortForm), PINNED_SMALL);
    const mainnet = drawCommittees({
      seed,
      shards: shardsOf(64),
      holders: Array.from({ length: 300 }, (_unused, validator) => ({ validator, seats: 1 + (validator % 6) })),
      committeeSeats: 400,
    });
    const text = JSON.stringify(mainnet.map(shortForm));
    assert.equal(bytesToHex(sha256(new TextEncoder().encode(text))), PINNED_LARGE);
  });
});

/** `validator×seats`, one after the other. */
function shortForm({ shard, members }: ShardCommittee): string {
  return `${shard}: ${members.map(({ validator, seats }) => `${validator}×${seats}`).join(' ')}`;
}
