// The probabilities of bad committees: the numbers of the design, the rules of consensus, and sums that a person could do.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type CommitteeFailure,
  type DrawSchedule,
  failureProbability,
  riskOver,
  seatsToFail,
  smallestCommittee,
} from '../../../src/core/beacon/committee-risk.ts';
import { drawCommittees } from '../../../src/core/beacon/committees.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { uint64ToBytes } from '../../../src/core/primitives/bytes.ts';
import { decimalOf, type Fraction, fraction, isAtMost, ONE, whole } from '../../../src/core/primitives/fraction.ts';
import { includesHonest, isQuorum } from '../../../src/core/protocol/committee.ts';

const FAILURES: readonly CommitteeFailure[] = ['blocked', 'captured'];
const YEAR_SECONDS = 31_557_600;
const ONCE_A_YEAR: DrawSchedule = { shards: 1, epochSeconds: YEAR_SECONDS, withholdingFactor: ONE };

const probability = (failure: CommitteeFailure, committeeSeats: number, totalSeats: number, faultyPercent = 25): Fraction =>
  failureProbability(failure, { totalSeats, faultySeats: (totalSeats * faultyPercent) / 100, committeeSeats });

const sameFraction = (a: Fraction, b: Fraction): boolean => isAtMost(a, b) && isAtMost(b, a);

/** By drawing every committee there is: the seats below `faultySeats` are faulty. */
function countedProbability(failure: CommitteeFailure, totalSeats: number, faultySeats: number, committeeSeats: number): Fraction {
  let all = 0n;
  let failed = 0n;
  for (let chosen = 0; chosen < 2 ** totalSeats; chosen++) {
    const seats = Array.from({ length: totalSeats }, (_unused, seat) => seat).filter((seat) => (chosen >> seat) & 1);
    if (seats.length !== committeeSeats) continue;
    all += 1n;
    if (seats.filter((seat) => seat < faultySeats).length >= seatsToFail(failure, committeeSeats)) failed += 1n;
  }
  return fraction(failed, all);
}

describe('a committee fails', () => {
  it('at the thresholds of consensus: a third stops quorums of the others, more than two thirds are one', () => {
    for (let totalSeats = 1; totalSeats <= 1_000; totalSeats++) {
      const committee = { members: [], totalSeats };
      const [blocked, captured] = [seatsToFail('blocked', totalSeats), seatsToFail('captured', totalSeats)];
      assert.ok(includesHonest(blocked, committee) && !includesHonest(blocked - 1, committee));
      assert.ok(isQuorum(captured, committee) && !isQuorum(captured - 1, committee));
      assert.ok(isQuorum(totalSeats - blocked + 1, committee) && !isQuorum(totalSeats - blocked, committee));
      // Two quorums of a fork share these seats, all of them faulty: never fewer than the third, and just as many of 3f + 1.
      const shared = 2 * captured - totalSeats;
      assert.ok(shared >= blocked && (totalSeats % 3 !== 1 || shared === blocked));
    }
  });

  it('as probably as the design says', () => {
    const two = (failure: CommitteeFailure, committeeSeats: number, totalSeats: number): string =>
      decimalOf(probability(failure, committeeSeats, totalSeats), 2);
    assert.equal(two('blocked', 100, 1_000), '0.021');
    assert.equal(two('captured', 100, 1_000), '5.5e-21');
    assert.equal(two('blocked', 400, 1_000), '3.5e-7');
    assert.equal(two('blocked', 400, 2_000), '1.2e-5');
    assert.equal(two('blocked', 400, 10_000), '6.2e-5');
  });

  it('in just as many of all possible draws', () => {
    for (const failure of FAILURES) {
      for (const [total, faulty, drawn] of [
        [4, 1, 3],
        [7, 2, 4],
        [7, 3, 4],
        [9, 3, 6],
        [10, 5, 3],
        [10, 4, 7],
        [10, 10, 4],
        [10, 0, 4],
      ] as const) {
        const exact = failureProbability(failure, { totalSeats: total, faultySeats: faulty, committeeSeats: drawn });
        assert.ok(
          sameFraction(exact, countedProbability(failure, total, faulty, drawn)),
          `${failure}, ${drawn} of ${total}, ${faulty} faulty`,
        );
      }
    }
  });

  it('about as often in draws with a thousand seeds', () => {
    // Ten validators of four seats; the first three are faulty: 12 of 40 seats, of which committees get 10.
    const holders = Array.from({ length: 10 }, (_unused, validator) => ({ validator, seats: 4 }));
    const draws = 1_000;
    const failed = [0, 0, 0, 0];
    for (let draw = 0; draw < draws; draw++) {
      const committees = drawCommittees({ seed: sha256(uint64ToBytes(draw)), shards: [4, 5, 6, 7], holders, committeeSeats: 10 });
      for (const [position, { members }] of committees.entries()) {
        const faultySeats = members.reduce((sum, { validator, seats }) => sum + (validator < 3 ? seats : 0), 0);
        if (faultySeats >= seatsToFail('blocked', 10)) failed[position] = (failed[position] as number) + 1;
      }
    }
    const exact = failureProbability('blocked', { totalSeats: 40, faultySeats: 12, committeeSeats: 10 });
    const expected = draws * Number(decimalOf(exact, 10));
    const deviation = Math.sqrt(expected * (1 - expected / draws));
    for (const times of failed) assert.ok(Math.abs(times - expected) < 4 * deviation, `${failed} of ${draws}, expected ${expected}`);
  });

  it('surely or never when it is all seats, also when it would have more than there are', () => {
    for (const committeeSeats of [100, 101, 4_000]) {
      for (const [failure, faultySeats, expected] of [
        ['blocked', 33, '0'],
        ['blocked', 34, '1'],
        ['captured', 66, '0'],
        ['captured', 67, '1'],
      ] as const) {
        assert.equal(decimalOf(failureProbability(failure, { totalSeats: 100, faultySeats, committeeSeats }), 3), expected);
      }
    }
  });

  it('more probably the more seats are faulty', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 120 }), fc.nat(), fc.nat(), (totalSeats, a, b) => {
        const [committeeSeats, faultySeats] = [1 + (a % totalSeats), b % totalSeats];
        for (const failure of FAILURES) {
          const fewer = failureProbability(failure, { totalSeats, faultySeats, committeeSeats });
          assert.ok(isAtMost(fewer, failureProbability(failure, { totalSeats, faultySeats: faultySeats + 1, committeeSeats })));
          assert.ok(isAtMost(fewer, ONE));
        }
      }),
    );
  });

  it('with a probability that is computed in well under a second for 10,000 seats', () => {
    const begin = performance.now();
    assert.equal(decimalOf(probability('blocked', 5_000, 10_000), 3), '5.57e-84');
    assert.ok(performance.now() - begin < 1_000);
  });
});

describe('the risk of a network', () => {
  it('adds up committees, seeds that were withheld, and epochs, to no more than one', () => {
    const risk = riskOver(fraction(1n, 1_000_000n), { shards: 10, epochSeconds: 3_600, withholdingFactor: fraction(3n, 2n) });
    assert.ok(sameFraction(risk.perEpoch, fraction(15n, 1_000_000n)));
    assert.ok(sameFraction(risk.perYear, fraction(15n * 8_766n, 1_000_000n)));
    assert.equal(decimalOf(risk.yearsUntilFirst as Fraction, 3), '7.61');
    const certain = riskOver(fraction(1n, 2n), { shards: 3, epochSeconds: 3_600, withholdingFactor: ONE });
    assert.ok(sameFraction(certain.perEpoch, ONE) && sameFraction(certain.perYear, ONE));
    assert.ok(sameFraction(certain.yearsUntilFirst as Fraction, fraction(1n, 8_766n)));
  });

  it('has no first failure where none is possible', () => {
    const risk = riskOver(whole(0), ONCE_A_YEAR);
    assert.deepEqual([decimalOf(risk.perYear, 2), risk.yearsUntilFirst], ['0', undefined]);
  });
});

describe('the smallest sufficient committee', () => {
  it('is the first that meets the target, by trying all', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 0, max: 59 }),
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 1, max: 9 }),
        (totalSeats, faulty, exponent, digit) => {
          const faultySeats = Math.min(faulty, totalSeats);
          const target = fraction(BigInt(digit), 10n ** BigInt(exponent + 1));
          for (const failure of FAILURES) {
            const first = Array.from({ length: totalSeats }, (_unused, index) => index + 1).find((committeeSeats) =>
              isAtMost(failureProbability(failure, { totalSeats, faultySeats, committeeSeats }), target),
            );
            const expected = failsAsAWhole(failure, totalSeats, faultySeats) ? undefined : first;
            assert.equal(smallestCommittee(failure, { totalSeats, faultySeats }, ONCE_A_YEAR, target), expected);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is found also where nearly a third is faulty, and small committees are better than somewhat larger ones', () => {
    const all = { totalSeats: 100, faultySeats: 33 };
    const at = (committeeSeats: number): Fraction => failureProbability('blocked', { ...all, committeeSeats });
    assert.ok(!isAtMost(at(4), at(1)));
    assert.equal(smallestCommittee('blocked', all, ONCE_A_YEAR, at(1)), 1);
    assert.equal(smallestCommittee('blocked', all, ONCE_A_YEAR, fraction(1n, 100n)), 100);
  });

  it('is none where more seats are faulty than any size bears', () => {
    assert.equal(smallestCommittee('blocked', { totalSeats: 99, faultySeats: 33 }, ONCE_A_YEAR, fraction(1n, 2n)), undefined);
    assert.equal(smallestCommittee('captured', { totalSeats: 100, faultySeats: 67 }, ONCE_A_YEAR, fraction(1n, 2n)), undefined);
  });

  it('depends on how many are drawn, and how often', () => {
    const all = { totalSeats: 1_000, faultySeats: 250 };
    const target = fraction(1n, 1_000n);
    const sizes = [1, 16, 256].map((shards) => smallestCommittee('blocked', all, { ...ONCE_A_YEAR, shards }, target));
    assert.ok((sizes[0] as number) < (sizes[1] as number) && (sizes[1] as number) < (sizes[2] as number), String(sizes));
    assert.ok(sizes.every((size) => (size as number) % 3 === 1));
  });
});

function failsAsAWhole(failure: CommitteeFailure, totalSeats: number, faultySeats: number): boolean {
  return faultySeats >= seatsToFail(failure, totalSeats);
}
