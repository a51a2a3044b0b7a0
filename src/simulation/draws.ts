// What a schedule draws from its seed when its plan does not say it: faults, who is dishonest and how, and which chains there are. Each from a stream of its own, so
// that who leaves one to the seed and says the other gets what the seed alone would give; and so that a narrower choice can be written
// out as a plan before the schedule runs.
import { type DishonestValidator, drawDishonest, STRATEGIES, type Strategy } from './adversaries/strategies.ts';
import { type ChainShape, drawShape } from './chain-shape.ts';
import { type DrawnKind, drawFaults, FAULT_KINDS, type Fault } from './faults.ts';
import { SeededRandom } from './random.ts';

const FAULTS_MIN = 3;
const FAULTS_MAX = 7;
/** Bears one that fails. */
const SMALL_COMMITTEE = 4;
const SMALL_COMMITTEES_SHARE = 0.5;

/** Three to six faults, all over by `untilMs`; none when no kind is allowed. */
export function faultsOfSeed(seed: number, nodes: number, untilMs: number, kinds: readonly DrawnKind[] = FAULT_KINDS): readonly Fault[] {
  const random = new SeededRandom(seed, 'faults');
  return kinds.length === 0 ? [] : drawFaults(random, nodes, random.integer(FAULTS_MIN, FAULTS_MAX), untilMs, kinds);
}

/** In most schedules fewer than a third of the validators; nobody when no strategy is allowed. */
export function dishonestOfSeed(seed: number, nodes: number, strategies: readonly Strategy[] = STRATEGIES): readonly DishonestValidator[] {
  return strategies.length === 0 ? [] : drawDishonest(new SeededRandom(seed, 'dishonest'), nodes, strategies);
}

/** Of a schedule what its shape depends on. */
export interface SeededNodes {
  readonly seed: number;
  readonly nodes: number;
  /** One more dishonest validator, if there is one. */
  readonly forger?: unknown;
}

/**
 * Which chains a schedule has, and how fast. Where there are validators enough, and no committee can have more dishonest ones than it bears, half of
 * those with several shards have small committees.
 */
export function shapeOfSeed({ seed, nodes, forger }: SeededNodes, drawnDishonest: number): ChainShape {
  const dishonest = drawnDishonest + (forger === undefined ? 0 : 1);
  const shape = drawShape(new SeededRandom(seed, 'shape'));
  const mayBeSmall = shape.layout.length > 1 && nodes > SMALL_COMMITTEE && dishonest <= Math.floor((SMALL_COMMITTEE - 1) / 3);
  const isSmall = mayBeSmall && new SeededRandom(seed, 'committees').chance(SMALL_COMMITTEES_SHARE);
  return isSmall ? { ...shape, committeeSeats: SMALL_COMMITTEE, follow: 'own' } : shape;
}
