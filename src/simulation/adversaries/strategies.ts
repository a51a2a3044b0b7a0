// Validators that are not honest, by the name of what they do. What such a validator does is never checked; what honest ones do although it
// is there is.
//
// A twin needs no lies at all (Bano et al., "Twins: BFT Systems Made Robust", 2020): two honest nodes with one key, each with a signing
// record of its own, contradict each other by themselves as soon as they hear different things.
import type { ValidatorIndex } from '../../core/primitives/ids.ts';
import type { Network } from '../../network/ports.ts';
import type { SeededRandom } from '../random.ts';
import { babbling } from './babbling.ts';
import { flooding } from './flooding.ts';
import { hunting } from './hunting.ts';
import { lateCommitting } from './late-committing.ts';
import { lyingInSync } from './lying-in-sync.ts';
import { replaying, stale } from './old-words.ts';
import { selective, silent } from './silent.ts';
import type { Adversary, StrategyTools } from './strategy.ts';
import { twoFaced } from './two-faced.ts';
import { withholding } from './withholding.ts';
import { proposingWrong } from './wrong-blocks.ts';

/** Share of schedules in which somebody is dishonest. */
const DISHONEST_SHARE = 0.6;

const ADVERSARIES = {
  /** Runs two nodes with one key, each of them honest. */
  twin: (own) => own,
  'two-faced': twoFaced,
  silent,
  selective,
  replaying,
  stale,
  babbling,
  'late-committing': lateCommitting,
  withholding,
  'wrong-blocks': proposingWrong,
  'lying-in-sync': lyingInSync,
  flooding,
  hunting,
} as const satisfies Readonly<Record<string, Adversary>>;

/** What a dishonest validator does. */
export type Strategy = keyof typeof ADVERSARIES;

/** All of them. */
export const STRATEGIES = Object.keys(ADVERSARIES) as readonly Strategy[];

/** A validator that is not honest. */
export interface DishonestValidator {
  readonly validator: ValidatorIndex;
  readonly strategy: Strategy;
}

/** The network of a node whose validator follows a strategy. */
export function dishonest(strategy: Strategy, own: Network, tools: StrategyTools): Network {
  return ADVERSARIES[strategy](own, tools);
}

/** In most schedules fewer than a third of the validators are dishonest, in the others none. */
export function drawDishonest(random: SeededRandom, nodes: number, among: readonly Strategy[] = STRATEGIES): readonly DishonestValidator[] {
  if (!random.chance(DISHONEST_SHARE)) return [];
  const most = Math.floor((nodes - 1) / 3);
  const all = Array.from({ length: nodes }, (_unused, validator) => validator);
  return random.sample(all, random.integer(1, most + 1)).map((validator) => ({ validator, strategy: random.pick(among) }));
}
