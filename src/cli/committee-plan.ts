// What coppice committees --plan computes, and how it is told: a table for people, or one object for programs. Numbers are exact until they are
// shown.
import {
  type CommitteeFailure,
  type DrawSchedule,
  failureProbability,
  type NetworkRisk,
  riskOver,
  seatsToFail,
  smallestCommittee,
} from '../core/beacon/committee-risk.ts';
import { decimalOf, type Fraction } from '../core/primitives/fraction.ts';
import type { Seats } from '../core/primitives/ids.ts';

/** What is planned for. */
export interface PlanFigures {
  readonly totalSeats: Seats;
  readonly committeeSeats: Seats;
  readonly schedule: DrawSchedule;
  /** Of all seats. */
  readonly faultyPercentages: readonly Fraction[];
  readonly targetPerYear: Fraction;
}

interface PlannedFailure extends NetworkRisk {
  readonly perCommittee: Fraction;
  /** `undefined` where no size meets the target. */
  readonly smallestSeats: Seats | undefined;
}

interface PlannedShare {
  readonly percentage: Fraction;
  readonly seats: Seats;
  readonly risks: Readonly<Record<CommitteeFailure, PlannedFailure>>;
}

/** The answer to the figures. */
export interface CommitteePlan {
  readonly figures: PlanFigures;
  /** Seats that a committee really has: all, where there are fewer than it would take. */
  readonly drawnSeats: Seats;
  readonly shares: readonly PlannedShare[];
}

const FAILURES: readonly CommitteeFailure[] = ['blocked', 'captured'];
const NAMES: Readonly<Record<CommitteeFailure, string>> = { blocked: 'a third', captured: 'two thirds' };
const CONSEQUENCES: Readonly<Record<CommitteeFailure, string>> = {
  blocked: 'at least a third: it may stall its shard, or fork it before the crosslink',
  captured: 'more than two thirds: it may anchor a false state, for ever',
};
const DIGITS_FOR_PEOPLE = 2;
const DIGITS_FOR_PROGRAMS = 6;
/** A percentage and a factor are shown as they were written. */
const DIGITS_OF_INPUT = 40;
const COLUMN_GAP = '   ';

/** The probabilities and advice for these figures. */
export function planCommittees(figures: PlanFigures): CommitteePlan {
  const drawnSeats = Math.min(figures.committeeSeats, figures.totalSeats);
  const shares = figures.faultyPercentages.map((percentage) => {
    const seats = faultySeatsOf(percentage, figures.totalSeats);
    return {
      percentage,
      seats,
      risks: { blocked: plannedFailure('blocked', seats, figures), captured: plannedFailure('captured', seats, figures) },
    };
  });
  return { figures, drawnSeats, shares };
}

/** The plan for people, line by line. */
export function planLines({ figures, drawnSeats, shares }: CommitteePlan): readonly string[] {
  const { totalSeats, committeeSeats, schedule, targetPerYear } = figures;
  const lines = [
    `${totalSeats} seats in all, committees of ${drawnSeats}, shards: ${schedule.shards}, epochs of ${schedule.epochSeconds} s, ` +
      `withheld seeds count ${shown(schedule.withholdingFactor)} times`,
  ];
  if (drawnSeats < committeeSeats) lines.push(`(a committee would have ${committeeSeats} seats: each is all that there are)`);
  for (const failure of FAILURES) {
    lines.push('', describeFailure(failure, drawnSeats), ...riskTable(failure, shares));
  }
  lines.push('', `seats of the smallest committee for a probability of at most ${shown(targetPerYear)} a year`, ...adviceTable(shares));
  return [...lines, '', ...REMARKS];
}

/** The plan for programs. Probabilities and years are decimal strings, for they may be smaller than floating point can be. */
export function planObject({ figures, drawnSeats, shares }: CommitteePlan): object {
  const { totalSeats, committeeSeats, schedule, targetPerYear } = figures;
  const { shards, epochSeconds, withholdingFactor } = schedule;
  return {
    totalSeats,
    committeeSeats,
    drawnSeats,
    shards,
    epochSeconds,
    withholdingFactor: shown(withholdingFactor),
    targetPerYear: shown(targetPerYear),
    seatsToBlock: seatsToFail('blocked', drawnSeats),
    seatsToCapture: seatsToFail('captured', drawnSeats),
    faulty: shares.map(({ percentage, seats, risks }) => ({
      percent: shown(percentage),
      seats,
      blocked: failureObject(risks.blocked),
      captured: failureObject(risks.captured),
    })),
  };
}

function describeFailure(failure: CommitteeFailure, drawnSeats: Seats): string {
  return `${seatsToFail(failure, drawnSeats)} or more of a committee's ${drawnSeats} seats faulty, ${CONSEQUENCES[failure]}`;
}

/** What the numbers are, and what they do not say. */
const REMARKS: readonly string[] = [
  'A committee and epoch: exact. Epochs and years: at most, by adding up all shards and what withheld seeds buy; years until the first: at least.',
  'Faulty seats are those of one adversary before the draw; one that wins over members once it knows them is not counted.',
  'With a third of all seats faulty the beacon itself may stall or fork, whatever the committees are.',
];

function plannedFailure(failure: CommitteeFailure, faultySeats: Seats, figures: PlanFigures): PlannedFailure {
  const { totalSeats, committeeSeats, schedule, targetPerYear } = figures;
  const perCommittee = failureProbability(failure, { totalSeats, faultySeats, committeeSeats });
  const smallestSeats = smallestCommittee(failure, { totalSeats, faultySeats }, schedule, targetPerYear);
  return { perCommittee, ...riskOver(perCommittee, schedule), smallestSeats };
}

/** Whole seats, rounded up: on the side of the adversary. */
function faultySeatsOf({ numerator, denominator }: Fraction, totalSeats: Seats): Seats {
  const divisor = 100n * denominator;
  return Number((numerator * BigInt(totalSeats) + divisor - 1n) / divisor);
}

function riskTable(failure: CommitteeFailure, shares: readonly PlannedShare[]): readonly string[] {
  const rows = shares.map(({ percentage, seats, risks }) => {
    const { perCommittee, perEpoch, perYear, yearsUntilFirst } = risks[failure];
    const numbers = [perCommittee, perEpoch, perYear].map((value) => decimalOf(value, DIGITS_FOR_PEOPLE));
    return [
      nameOfShare(percentage, seats),
      ...numbers,
      yearsUntilFirst === undefined ? 'never' : decimalOf(yearsUntilFirst, DIGITS_FOR_PEOPLE),
    ];
  });
  return table([['faulty seats', 'a committee and epoch', 'an epoch, all shards', 'a year, all shards', 'years until the first'], ...rows]);
}

function adviceTable(shares: readonly PlannedShare[]): readonly string[] {
  const rows = shares.map(({ percentage, seats, risks }) => [
    nameOfShare(percentage, seats),
    ...FAILURES.map((failure) => risks[failure].smallestSeats?.toString() ?? 'no size is enough'),
  ]);
  return table([['faulty seats', ...FAILURES.map((failure) => `against ${NAMES[failure]}`)], ...rows]);
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_head, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(COLUMN_GAP)}`.trimEnd());
}

function failureObject({ perCommittee, perEpoch, perYear, yearsUntilFirst, smallestSeats }: PlannedFailure): object {
  const precise = (value: Fraction): string => decimalOf(value, DIGITS_FOR_PROGRAMS);
  return {
    perCommittee: precise(perCommittee),
    perEpoch: precise(perEpoch),
    perYear: precise(perYear),
    yearsUntilFirst: yearsUntilFirst === undefined ? null : precise(yearsUntilFirst),
    smallestCommitteeSeats: smallestSeats ?? null,
  };
}

function nameOfShare(percentage: Fraction, seats: Seats): string {
  return `${shown(percentage)} % (${seats})`;
}

function shown(value: Fraction): string {
  return decimalOf(value, DIGITS_OF_INPUT);
}
