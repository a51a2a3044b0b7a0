import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { apportionSeats, type ValidatorStake } from '../../../src/core/beacon/seats.ts';

const stakesOf = (stakes: readonly bigint[]): ValidatorStake[] => stakes.map((stakeGwei, validator) => ({ validator, stakeGwei }));
const seatsOf = (stakes: readonly bigint[], totalSeats: number): (readonly [number, number])[] =>
  apportionSeats(stakesOf(stakes), totalSeats).map(({ validator, seats }) => [validator, seats]);

const anyStakes = fc.array(fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 50n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), {
  minLength: 1,
  maxLength: 60,
});

describe('seats by stake', () => {
  it('are the exact share where it is whole', () => {
    assert.deepEqual(seatsOf([32n, 64n, 32n], 4), [
      [0, 1],
      [1, 2],
      [2, 1],
    ]);
  });

  it('that are left over go to the largest remainders, of equal ones to the lower index', () => {
    // Exact shares 4.7, 3.2, 2.1 and then 3⅓ each.
    assert.deepEqual(seatsOf([47n, 32n, 21n], 10), [
      [0, 5],
      [1, 3],
      [2, 2],
    ]);
    assert.deepEqual(seatsOf([1n, 1n, 1n], 10), [
      [0, 4],
      [1, 3],
      [2, 3],
    ]);
    assert.deepEqual(seatsOf([1n, 1n, 1n], 11), [
      [0, 4],
      [1, 4],
      [2, 3],
    ]);
  });

  it('are none for no stake, and may be none for little', () => {
    assert.deepEqual(seatsOf([0n, 100n, 1n, 0n], 3), [[1, 3]]);
    assert.deepEqual(seatsOf([0n, 0n], 3), []);
    assert.deepEqual(apportionSeats([], 3), []);
  });

  it('are all given, each within one of the exact share, in order of validators, whatever the order of stakes', () => {
    fc.assert(
      fc.property(anyStakes, fc.integer({ min: 1, max: 2_000 }), (stakes, totalSeats) => {
        const total = stakes.reduce((sum, stake) => sum + stake, 0n);
        const holders = apportionSeats(stakesOf(stakes), totalSeats);
        assert.equal(
          holders.reduce((sum, { seats }) => sum + seats, 0),
          total === 0n ? 0 : totalSeats,
        );
        for (const { validator, seats } of holders) {
          const product = (stakes[validator] as bigint) * BigInt(totalSeats);
          assert.ok(seats >= 1 && BigInt(seats) >= product / total && BigInt(seats - 1) * total < product);
        }
        assert.ok(holders.every(({ validator }, index) => index === 0 || (holders[index - 1]?.validator as number) < validator));
        assert.deepEqual(apportionSeats(stakesOf(stakes).reverse(), totalSeats), holders);
      }),
    );
  });

  it('never favour less stake over more', () => {
    fc.assert(
      fc.property(anyStakes, fc.integer({ min: 1, max: 500 }), (stakes, totalSeats) => {
        const seats = new Map(seatsOf(stakes, totalSeats));
        const ranked = stakes.map((stake, validator) => ({ stake, seats: seats.get(validator) ?? 0 }));
        for (const a of ranked) for (const b of ranked) if (a.stake > b.stake) assert.ok(a.seats >= b.seats);
      }),
    );
  });
});
