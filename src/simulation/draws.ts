// What a schedule draws from its seed when its plan does not say it: faults, who is dishonest and how, and which chains there are. Each from a stream of its own, so
// that who leaves one to the seed and says the other gets what the seed alone would give; and so that a narrower choice can be written
// out as a plan before the schedule runs.
import { type DishonestValidator, drawDishonest, STRATEGIES, type Strategy } from './adversaries/strategies.ts';
import { type ChainShape, drawShape } from './chain-shape.ts';
import { type DrawnKind, drawFaults, FAULT_KINDS, type Fault } from './faults.ts';
import { SeededRandom } from './random.ts';

const FAULTS_MIN = 3;
const FAULTS_MAX = 7;

/** Three to six faults, all over by `untilMs`; none when no kind is allowed. */
export function faultsOfSeed(seed: number, nodes: number, untilMs: number, kinds: readonly DrawnKind[] = FAULT_KINDS): readonly Fault[] {
  const random = new SeededRandom(seed, 'faults');
  return kinds.length === 0 ? [] : drawFaults(random, nodes, random.integer(FAULTS_MIN, FAULTS_MAX), untilMs, kinds);
}

/** In most schedules fewer than a third of the validators; nobody when no strategy is allowed. */
export function dishonestOfSeed(seed: number, nodes: number, strategies: readonly Strategy[] = STRATEGIES): readonly DishonestValidator[] {
  return strategies.length === 0 ? [] : drawDishonest(new SeededRandom(seed, 'dishonest'), nodes, strategies);
}

/** Which chains a schedule has, and how fast. */
export function shapeOfSeed(seed: number): ChainShape {
  return drawShape(new SeededRandom(seed, 'shape'));
}
