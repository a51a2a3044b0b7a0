// How probable it is that a drawn committee fails (protocol, section 6, "Committees"), exactly: a committee is a draw of seats without
// replacement, so its faulty seats are distributed hypergeometrically, and everything is computed in fractions of whole numbers.
//
// A committee fails at the thresholds that consensus itself counts with (protocol/committee.ts), in two ways:
// - `blocked`: its faulty seats reach `includesHonest`, a third or more. What is left is then no quorum (n − f seats are one just while 3f < n):
//   the faulty can stall the shard; and no fork before the crosslink is possible below it, for two quorums share more than a third. (Of 3f + 1
//   seats, f + 1 are enough for both; of other sizes the fork takes one or two seats more, which is not counted on here.)
// - `captured`: its faulty seats are by themselves a quorum, more than two thirds: they can certify, and so anchor, a false state.
import { invariant } from '../primitives/errors.ts';
import { divide, type Fraction, fraction, isAtMost, lesser, multiply, ONE, whole } from '../primitives/fraction.ts';
import type { Seats } from '../primitives/ids.ts';
import { includesHonest, isQuorum } from '../protocol/committee.ts';

/** See the file's head. */
export type CommitteeFailure = 'blocked' | 'captured';

/** One committee drawn of all seats, some of which are faulty. */
export interface CommitteeOdds {
  readonly totalSeats: Seats;
  readonly faultySeats: Seats;
  readonly committeeSeats: Seats;
}

/** How often committees are drawn, and how many at once. */
export interface DrawSchedule {
  readonly shards: number;
  readonly epochSeconds: number;
  /**
   * What it buys an attacker that a leader may withhold its block, and so has a choice of seeds: 1.5 to 2 times the probability (protocol,
   * section 6). 1 for seeds that nobody can choose.
   */
  readonly withholdingFactor: Fraction;
}

/** What one committee's probability comes to. Upper bounds, as `riskOver` says, of which the time is the lower one. */
export interface NetworkRisk {
  readonly perEpoch: Fraction;
  readonly perYear: Fraction;
  /** `undefined` for never. */
  readonly yearsUntilFirst: Fraction | undefined;
}

/** A year of 365.25 days. */
const SECONDS_PER_YEAR = 31_557_600;
/** Thirds and two thirds of a committee come round with every third seat. */
const SIZES_PER_GROUP = 3;

/** The least number of faulty seats with which a committee of that size fails. */
export function seatsToFail(failure: CommitteeFailure, committeeSeats: Seats): Seats {
  const committee = { members: [], totalSeats: committeeSeats };
  const fails = failure === 'captured' ? isQuorum : includesHonest;
  let faulty = Math.floor(committeeSeats / 3);
  while (!fails(faulty, committee)) faulty++;
  return faulty;
}

/** The probability that a committee fails, exactly. One of more seats than there are is all of them. */
export function failureProbability(failure: CommitteeFailure, { totalSeats, faultySeats, committeeSeats }: CommitteeOdds): Fraction {
  invariant(faultySeats >= 0 && faultySeats <= totalSeats && committeeSeats >= 1, 'faulty seats are some of all');
  const drawn = Math.min(committeeSeats, totalSeats);
  return fraction(drawsWithAtLeast(seatsToFail(failure, drawn), totalSeats, faultySeats, drawn), binomial(totalSeats, drawn));
}

/**
 * The risk of all committees of an epoch, and of a year. Committees of one epoch are not independent, so probabilities are added up (the union
 * bound, which holds whatever depends on whatever): the truth is at most this, and the time until the first failure on average at least this.
 */
export function riskOver(perCommittee: Fraction, { shards, epochSeconds, withholdingFactor }: DrawSchedule): NetworkRisk {
  const perEpoch = lesser(ONE, multiply(multiply(perCommittee, whole(shards)), withholdingFactor));
  const epochsPerYear = fraction(BigInt(SECONDS_PER_YEAR), BigInt(epochSeconds));
  const failuresPerYear = multiply(perEpoch, epochsPerYear);
  return {
    perEpoch,
    perYear: lesser(ONE, failuresPerYear),
    yearsUntilFirst: perEpoch.numerator === 0n ? undefined : divide(ONE, failuresPerYear),
  };
}

/**
 * The fewest seats that a committee can have for at most the target's probability of that failure in a year; `undefined` where even all seats
 * together fail, and no size helps.
 *
 * Three sizes in a row form a group, because a third or two thirds are a seat more only with every third; the best of each group gets safer
 * from group to group, but for a rise among the smallest sizes when nearly a third is faulty. So once the smallest group has been tried, the
 * first that suffices is found by halving.
 */
export function smallestCommittee(
  failure: CommitteeFailure,
  { totalSeats, faultySeats }: Omit<CommitteeOdds, 'committeeSeats'>,
  schedule: DrawSchedule,
  targetPerYear: Fraction,
): Seats | undefined {
  const suffices = (committeeSeats: Seats): boolean =>
    isAtMost(riskOver(failureProbability(failure, { totalSeats, faultySeats, committeeSeats }), schedule).perYear, targetPerYear);
  if (!suffices(totalSeats)) return undefined;
  const firstOfGroup = (group: number): Seats | undefined => sizesOf(group, totalSeats).find(suffices);
  const inSmallest = firstOfGroup(0);
  if (inSmallest !== undefined) return inSmallest;
  let failing = 0;
  let sufficing = Math.floor((totalSeats - 1) / SIZES_PER_GROUP);
  while (sufficing - failing > 1) {
    const middle = Math.floor((failing + sufficing) / 2);
    if (firstOfGroup(middle) === undefined) failing = middle;
    else sufficing = middle;
  }
  return firstOfGroup(sufficing);
}

function sizesOf(group: number, totalSeats: Seats): readonly Seats[] {
  return [1, 2, 3].map((place) => SIZES_PER_GROUP * group + place).filter((size) => size <= totalSeats);
}

/** In how many ways `drawn` of all seats can be chosen with at least so many faulty ones among them. */
function drawsWithAtLeast(least: Seats, total: Seats, faulty: Seats, drawn: Seats): bigint {
  const correct = total - faulty;
  // Where there are too few correct seats to fill the rest, fewer faulty ones than that cannot be drawn at all.
  const from = Math.max(least, drawn - correct);
  const to = Math.min(drawn, faulty);
  if (from > to) return 0n;
  let ways = binomial(faulty, from) * binomial(correct, drawn - from);
  let sum = ways;
  for (let count = from; count < to; count++) {
    // Each number of ways follows from the one before: C(F, i + 1) · C(N − F, n − i − 1) of C(F, i) · C(N − F, n − i).
    ways = (ways * BigInt((faulty - count) * (drawn - count))) / BigInt((count + 1) * (correct - drawn + count + 1));
    sum += ways;
  }
  return sum;
}

/** In how many ways `chosen` of `total` can be chosen. */
function binomial(total: number, chosen: number): bigint {
  let ways = 1n;
  for (let taken = 0; taken < Math.min(chosen, total - chosen); taken++) {
    ways = (ways * BigInt(total - taken)) / BigInt(taken + 1);
  }
  return ways;
}
