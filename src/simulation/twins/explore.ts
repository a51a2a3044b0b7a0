// Runs every Twins scenario of so many rounds: all sequences of leaders, all partitions of the nodes and all spans of them in each round. Of
// scenarios that differ by the numbers of equal validators only, one is run. Scenarios that begin alike share what they have in common, and
// those that come to equal worlds share all that follows: a step is a pure function, so nothing is left out by that.
//
// After the last round the network is whole, and every node that is no twin has to commit a new block within a bounded number of rounds.
import { leaderOf } from '../../core/consensus/leader.ts';
import { startPoint } from '../../core/consensus/state.ts';
import { sha256 } from '../../core/crypto/sha256.ts';
import { bytesToHex } from '../../core/primitives/bytes.ts';
import type { ValidatorIndex } from '../../core/primitives/ids.ts';
import { instanceWithLeaders, Keys } from './instance.ts';
import { RoundWorld, type TwinsViolation } from './round-world.ts';
import {
  type Cast,
  leaderSequencesOf,
  nameOfPlan,
  PLAN_SETS,
  type PlanSet,
  type Renaming,
  type RoundPlan,
  renamingsOf,
} from './scenario.ts';
import { Speech } from './speech.ts';

/** What is enumerated. */
export interface TwinsOptions {
  readonly cast: Cast;
  readonly rounds: number;
  readonly planSet: PlanSet;
  /** Whether to end with the first scenario in which something does not hold. */
  readonly stopAtFailure: boolean;
  /** Whether there is time for another round. */
  readonly mayGoOn?: () => boolean;
}

/** A scenario in which something does not hold. */
export interface FailedScenario {
  readonly violation: TwinsViolation;
  readonly leaders: readonly ValidatorIndex[];
  readonly plans: readonly RoundPlan[];
}

/** What came of it. */
export interface TwinsReport {
  /** Scenarios in all, with those that are the same but for the numbers of validators. */
  readonly scenarios: number;
  /** Of those, one of each class of equals: each of them has run. What fails early counts once, for it fails however it goes on. */
  readonly distinct: number;
  /** Rounds that were in fact computed, before and after the network was whole. */
  readonly roundsRun: number;
  readonly worlds: number;
  /** Scenarios, of the distinct ones, after whose rounds something was committed, and in which a certificate was formed. */
  readonly withCommit: number;
  /** Rounds after the last partition until all had committed a new block, at most. */
  readonly roundsToRecoverMax: number;
  readonly failed: number;
  /** The first of each property. */
  readonly failures: readonly FailedScenario[];
  /** False where the enumeration was ended early: then the counts are of what was run. */
  readonly isComplete: boolean;
}

interface Counts {
  scenarios: number;
  distinct: number;
  withCommit: number;
  failed: number;
}

interface Branch {
  readonly world: RoundWorld;
  readonly leaders: readonly ValidatorIndex[];
  readonly plans: readonly RoundPlan[];
  /** Renamings that leave all so far as it is. */
  readonly renamings: readonly number[];
}

/** Whole rounds led by a validator without a twin, until everybody has committed something new: one to come together, one to commit. */
const ROUNDS_TO_RECOVER_MAX = 2;
/** Rounds that twins may lead one after the other before those. */
const TWIN_ROUNDS_MAX = 12;

/** See the file's head. */
export function exploreTwins(options: TwinsOptions): TwinsReport {
  return new Exploration(options).run();
}

/** Runs one scenario; undefined where everything holds. */
export function runTwinsScenario(cast: Cast, leaders: readonly ValidatorIndex[], plans: readonly RoundPlan[]): TwinsViolation | undefined {
  const keys = new Keys(cast.validators);
  const world = RoundWorld.begin(cast, new Speech(instanceWithLeaders(keys.committee, leaders), keys));
  for (const plan of plans) world.runRound(plan);
  if (world.violation === undefined) recover(world);
  return world.violation;
}

/** Whole rounds until every node that is no twin has committed a block that nobody had committed before; too many are a violation. */
function recover(world: RoundWorld): number {
  const heightBefore = Math.max(0, ...world.committed.keys());
  const plan: RoundPlan = { partition: world.nodes.map(() => 0), span: 'whole-round' };
  for (let [rounds, ofTwins] = [0, 0]; rounds - ofTwins < ROUNDS_TO_RECOVER_MAX && ofTwins < TWIN_ROUNDS_MAX; ) {
    if (isLedByTwin(world)) ofTwins++;
    world.runRound(plan);
    rounds++;
    const hasRecovered = world.honest.every(({ state }) => state.committed.height > heightBefore);
    if (world.violation !== undefined || hasRecovered) return rounds;
  }
  const where = world.honest.map(({ index, state }) => `node ${index} at height ${state.committed.height}, round ${state.round}`);
  world.violate('liveness', `nothing above height ${heightBefore} was committed by all: ${where.join('; ')}`);
  return 0;
}

// The seed of the start record draws all leaders of these few heights.
function isLedByTwin({ honest, cast }: RoundWorld): boolean {
  const round = Math.max(...honest.map(({ state }) => state.round));
  const [node] = honest;
  return node !== undefined && leaderOf(node.state.instance, startPoint(node.state.instance), round) < cast.twins;
}

class Exploration {
  readonly #options: TwinsOptions;
  readonly #renamings: readonly Renaming[];
  readonly #plans: readonly RoundPlan[];
  /** The place of each plan after each renaming. */
  readonly #images: readonly (readonly number[])[];
  readonly #known = new Map<string, Counts>();
  readonly #failures: FailedScenario[] = [];
  #roundsRun = 0;
  #roundsToRecoverMax = 0;
  #isComplete = true;

  constructor(options: TwinsOptions) {
    this.#options = options;
    this.#renamings = renamingsOf(options.cast);
    this.#plans = PLAN_SETS[options.planSet](options.cast);
    const places = new Map(this.#plans.map((plan, place) => [nameOfPlan(plan), place]));
    this.#images = this.#plans.map((plan) => this.#renamings.map((renaming) => places.get(nameOfPlan(plan, renaming)) as number));
  }

  run(): TwinsReport {
    const { cast, rounds } = this.#options;
    const total: Counts = { scenarios: 0, distinct: 0, withCommit: 0, failed: 0 };
    const keys = new Keys(cast.validators);
    let worlds = 0;
    for (const { leaders, renamings } of leaderSequencesOf(cast, rounds, this.#renamings)) {
      if (!this.#mayGoOn()) break;
      this.#known.clear(); // Another instance: no world of it equals one of this.
      const world = RoundWorld.begin(cast, new Speech(instanceWithLeaders(keys.committee, leaders), keys));
      const places = renamings.map((renaming) => this.#renamings.indexOf(renaming));
      add(total, this.#explore({ world, leaders, plans: [], renamings: places }));
      worlds += this.#known.size;
    }
    return {
      ...total,
      roundsRun: this.#roundsRun,
      worlds,
      roundsToRecoverMax: this.#roundsToRecoverMax,
      failures: this.#failures,
      isComplete: this.#isComplete,
    };
  }

  #explore(branch: Branch): Counts {
    const { world, leaders, plans, renamings } = branch;
    const key = bytesToHex(sha256(new TextEncoder().encode(`${renamings.join()} ${world.describe()}`)));
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const counts: Counts = { scenarios: 0, distinct: 0, withCommit: 0, failed: 0 };
    if (world.violation !== undefined || plans.length === leaders.length) this.#end(branch, counts);
    else for (const next of this.#continuations(branch)) add(counts, this.#explore(next));
    this.#known.set(key, counts);
    return counts;
  }

  *#continuations({ world, leaders, plans, renamings }: Branch): Iterable<Branch> {
    for (const [place, plan] of this.#plans.entries()) {
      const images = this.#images[place] as readonly number[];
      if (renamings.some((renaming) => (images[renaming] as number) < place)) continue;
      if (!this.#mayGoOn()) return;
      const next = world.copy();
      next.runRound(plan);
      this.#roundsRun++;
      yield { world: next, leaders, plans: [...plans, plan], renamings: renamings.filter((renaming) => images[renaming] === place) };
    }
  }

  #end({ world, leaders, plans, renamings }: Branch, counts: Counts): void {
    const waysOn = this.#plans.length ** (this.#options.rounds - plans.length);
    counts.scenarios += (this.#renamings.length / renamings.length) * waysOn;
    counts.distinct += 1;
    if (world.committed.size > 0) counts.withCommit++;
    if (world.violation === undefined) {
      const roundsToRecover = recover(world);
      this.#roundsRun += roundsToRecover;
      this.#roundsToRecoverMax = Math.max(this.#roundsToRecoverMax, roundsToRecover);
    }
    const { violation } = world;
    if (violation === undefined) return;
    counts.failed++;
    if (!this.#failures.some((failure) => failure.violation.property === violation.property))
      this.#failures.push({ violation, leaders, plans });
  }

  #mayGoOn(): boolean {
    const { mayGoOn, stopAtFailure } = this.#options;
    this.#isComplete &&= (mayGoOn?.() ?? true) && !(stopAtFailure && this.#failures.length > 0);
    return this.#isComplete;
  }
}

function add(total: Counts, { scenarios, distinct, withCommit, failed }: Counts): void {
  total.scenarios += scenarios;
  total.distinct += distinct;
  total.withCommit += withCommit;
  total.failed += failed;
}
