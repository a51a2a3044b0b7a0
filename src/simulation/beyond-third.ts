// Worlds in which a third of the seats or more is dishonest. Agreement may break there, and mostly does: the network parts, and each twin of
// a validator is on another side, so that both sides have a quorum. What must hold then is accountability.
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { DishonestValidator, Strategy } from './adversaries/strategies.ts';
import { drawFaults, type Fault } from './faults.ts';
import { SeededRandom } from './random.ts';
import { runSchedule, type ScheduleReport } from './schedule.ts';
import type { WorldCrypto } from './world.ts';

const PARTITION_FROM_MS_MAX = 3_000;
const PARTITION_MS_MIN = 1_000;
const PARTITION_MS_MAX = 4_000;
const FAULTS_UNTIL_MS = 7_000;
const OTHER_FAULTS_MAX = 3;
/** Share of the worlds in which the dishonest are two-faced instead of twins. */
const TWO_FACED_SHARE = 0.2;

/** Runs a schedule with just as many dishonest validators as may break agreement: f + 1 of 3f + 1. */
export function runBeyondThird(options: {
  readonly seed: number;
  readonly nodes: number;
  readonly crypto: WorldCrypto;
  readonly preset: NetworkParameters;
}): Promise<ScheduleReport> {
  const { seed, nodes } = options;
  const random = new SeededRandom(seed, 'beyond a third');
  const all = Array.from({ length: nodes }, (_unused, validator) => validator);
  const traitors = random.sample(all, Math.floor((nodes - 1) / 3) + 1);
  const strategy: Strategy = random.chance(TWO_FACED_SHARE) ? 'two-faced' : 'twin';
  const dishonest: readonly DishonestValidator[] = traitors.map((validator) => ({ validator, strategy }));
  const honest = all.filter((validator) => !traitors.includes(validator));
  // Twins come after all others: those stay on the side where the first half of the honest is not.
  const side = [...traitors, ...honest.slice(0, Math.ceil(honest.length / 2))];
  const fromMs = random.integer(0, PARTITION_FROM_MS_MAX);
  const forMs = random.integer(PARTITION_MS_MIN, PARTITION_MS_MAX);
  const parting: Fault = { fromMs, forMs, what: { kind: 'partition', minority: side, isSeen: random.chance(0.5) } };
  const others = drawFaults(random, nodes, random.integer(0, OTHER_FAULTS_MAX + 1), FAULTS_UNTIL_MS);
  return runSchedule({ ...options, dishonest, faults: [parting, ...others], isBeyondThird: true });
}
