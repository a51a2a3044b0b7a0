// The options of `npm run simulate`: what each means, and which of them make sense together.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isError } from '../core/primitives/errors.ts';
import { STRATEGIES } from './adversaries/strategies.ts';
import { faultShareOf } from './chain-shape.ts';
import { readArguments, UsageError } from './command-arguments.ts';
import { dishonestOfSeed, faultsOfSeed, shapeOfSeed } from './draws.ts';
import { FAULT_KINDS } from './faults.ts';
import {
  type CryptoChoice,
  describeImpossibility,
  impossibilityOf,
  LATENCY_MS_MAX,
  LATENCY_MS_MIN,
  NODES_MAX,
  NODES_MIN,
  readPlan,
  type SchedulePlan,
} from './plan.ts';
import { LINK_KINDS } from './quiet-links.ts';
import { planOfScenario, REGRESSIONS, type Scenario } from './scenarios.ts';
import { FAULTS_UNTIL_MS } from './schedule.ts';

const NAMES_PER_LINE = 6;

/** All options, for people. */
export const USAGE = `usage: npm run simulate -- [options]

what runs
  --seed 1            of the first schedule; each further one has the next
  --schedules 100     how many; with --minutes, no end but that of the time
  --minutes <n>       stop beginning schedules after so long
  --scenario swarm    swarm, or one of: ${REGRESSIONS.map(({ name }) => name).join(', ')}
  --replay <file>     a schedule that was written to a file, as a shrunk failure is
  --nodes 4           validators; of a scenario as many as it has, or more
  --fault-seconds 7   how long faults go on before the chains must recover; where the seed says two to four shards, three quarters to
                      half of that, which makes more blocks still
  --faults <list>     kinds of faults to draw, instead of all: none, or with commas between them
                      ${inLines(FAULT_KINDS)}
  --strategies <list> what dishonest validators are to do, instead of all: none, or with commas between them
                      ${inLines(STRATEGIES)}
  --clocks <which>    exact or wrong (up to 150 ms and 200 ppm), instead of what the seed says
  --links <kind>      how messages travel when nothing is wrong, instead of what the seed says: ${LINK_KINDS.join(', ')}
  --latency-ms <n>    median of one way, ${LATENCY_MS_MIN} to ${LATENCY_MS_MAX}, where it is not the distance of regions (wan)
  --crypto stand-in   stand-in or real: BLS and VRF of curves, some fifty times slower
  --workers <n>       processes; as many as cores, and none but this one for a single schedule. The results do not depend on it

what is shown
  --timeline          of a single schedule: what happened, a column for each node
  --whole             with --timeline or a failure: all of it, not only what led to the violation
  --html <file>       of a single schedule: one page with a lane for each node; its folder must be there
  --log               of a single schedule: its event log
  --no-shrink         leave a failure as it was found
  --out <folder>      where the files of a failure go, in simulate-<seed>: artifacts when absent. May be new in a folder that is there
  --json              print all figures as one JSON object in the last line`;

// Names of a list, some on each line of the options.
function inLines(names: readonly string[]): string {
  const lines = Array.from({ length: Math.ceil(names.length / NAMES_PER_LINE) }, (_unused, line) =>
    names.slice(line * NAMES_PER_LINE, (line + 1) * NAMES_PER_LINE).join(', '),
  );
  return lines.join(`,\n${' '.repeat(22)}`);
}

/** What is to be done. */
export interface Options {
  readonly firstSeed: number;
  /** Undefined: no end but that of the time. */
  readonly schedules: number | undefined;
  readonly minutes: number | undefined;
  readonly planOf: (seed: number) => SchedulePlan;
  readonly crypto: CryptoChoice;
  readonly workers: number;
  /** How each schedule is named in reports: `4 nodes`, `scenario x`. */
  readonly about: string;
  /** Options that run the schedule of a seed again. */
  readonly again: (seed: number) => string;
  readonly isShrinking: boolean;
  readonly outFolder: string | undefined;
  readonly timeline: boolean;
  readonly whole: boolean;
  readonly html: string | undefined;
  readonly log: boolean;
  readonly json: boolean;
}

const SCHEDULES = 100;
const FIXED_BY_A_FILE = [
  'seed',
  'schedules',
  'minutes',
  'scenario',
  'nodes',
  'fault-seconds',
  'faults',
  'strategies',
  'clocks',
  'links',
  'latency-ms',
  'crypto',
] as const;
const SURROUNDING_FLAGS = ['clocks', 'links', 'latency-ms'] as const;
const WORKERS_MAX = 256;
/** What is said for a list of none. */
const NONE = 'none';
/** A fault lasts 200 ms at least, and half of the time at most. */
const FAULT_SECONDS_MIN = 0.5;
const FAULT_SECONDS_MAX = 600;

/** Reads the command line; `undefined` where only help is wanted. Throws `UsageError`. */
export function readOptions(args: readonly string[]): Options | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const subject = subjectOf(values);
  const minutes = values.minutes === undefined ? undefined : positive('minutes', values.minutes);
  const given = values.schedules === undefined ? undefined : countOf('schedules', values.schedules);
  const schedules = given ?? (minutes === undefined ? subject.schedules : undefined);
  if (!Number.isSafeInteger(subject.firstSeed + ((schedules ?? 1) - 1)))
    throw new UsageError(`there are no ${schedules ?? 1} seeds from ${subject.firstSeed} on: the last is ${Number.MAX_SAFE_INTEGER}`);
  const isOne = schedules === 1 && minutes === undefined;
  for (const flag of ['timeline', 'html', 'log'] as const)
    if (!isOne && values[flag] !== undefined && values[flag] !== false)
      throw new UsageError(`--${flag} shows a single schedule: add --schedules 1`);
  if (values.whole && !values.timeline && values['no-shrink'] && !isOne) throw new UsageError('--whole needs --timeline');
  const workers = values.workers === undefined ? (isOne ? 1 : availableParallelism()) : countOf('workers', values.workers);
  if (workers > WORKERS_MAX) throw new UsageError(`--workers must be at most ${WORKERS_MAX}, got ${workers}`);
  if (isOne && workers > 1) throw new UsageError(`a single schedule runs on one core, got --workers ${workers}`);
  return {
    ...subject,
    schedules,
    minutes,
    workers: Math.min(workers, schedules ?? workers),
    isShrinking: !values['no-shrink'],
    outFolder: values.out,
    timeline: values.timeline,
    whole: values.whole,
    html: values.html,
    log: values.log,
    json: values.json,
  };
}

type Values = ReturnType<typeof parse>;
type Subject = Pick<Options, 'firstSeed' | 'schedules' | 'planOf' | 'crypto' | 'about' | 'again'>;

// What is run: a file, a scenario, or the swarm.
function subjectOf(values: Values): Subject {
  if (values.crypto !== undefined && values.crypto !== 'stand-in' && values.crypto !== 'real')
    throw new UsageError(`--crypto must be stand-in or real, got ${values.crypto}`);
  return values.replay === undefined ? seededSubject(values, values.crypto ?? 'stand-in') : replayedSubject(values, values.replay);
}

function replayedSubject(values: Values, file: string): Subject {
  for (const flag of FIXED_BY_A_FILE)
    if (values[flag] !== undefined) throw new UsageError(`a file says everything about its schedule: --replay goes without --${flag}`);
  const { plan, crypto } = readPlanFile(file);
  return { firstSeed: plan.seed, schedules: 1, planOf: () => plan, crypto, about: `of ${file}`, again: () => `--replay ${file}` };
}

function seededSubject(values: Values, crypto: CryptoChoice): Subject {
  const scenario = scenarioOf(values.scenario ?? 'swarm');
  const nodes = values.nodes === undefined ? (scenario?.nodes ?? NODES_MIN) : countOf('nodes', values.nodes);
  if (nodes < NODES_MIN || nodes > NODES_MAX)
    throw new UsageError(`--nodes must be a whole number from ${NODES_MIN} to ${NODES_MAX}, got ${values.nodes}`);
  if (scenario !== undefined && nodes < scenario.nodes)
    throw new UsageError(`scenario ${scenario.name} is of ${scenario.nodes} nodes or more, got --nodes ${nodes}`);
  if (scenario !== undefined && values.seed !== undefined && values.schedules === undefined && values.minutes === undefined)
    throw new UsageError('a scenario has its own seed; with --seed, say how many --schedules of it to run');
  if (scenario?.faults !== undefined && values.faults !== undefined)
    throw new UsageError(`scenario ${scenario.name} has its own faults, got --faults ${values.faults}`);
  if (scenario?.dishonest !== undefined && values.strategies !== undefined)
    throw new UsageError(`scenario ${scenario.name} has its own dishonest validators, got --strategies ${values.strategies}`);
  const faultMs = values['fault-seconds'] === undefined ? undefined : faultMsOf(values['fault-seconds']);
  const kinds = values.faults === undefined ? undefined : choiceOf('faults', FAULT_KINDS, values.faults);
  const strategies = values.strategies === undefined ? undefined : choiceOf('strategies', STRATEGIES, values.strategies);
  const surroundings = surroundingsOf(values);
  const planOf = (seed: number): SchedulePlan => {
    const dishonest = dishonestOfSeed(seed, nodes, strategies);
    const share = scenario === undefined ? faultShareOf(shapeOfSeed({ seed, nodes }, dishonest.length)) : 1;
    const faultsUntilMs = share === 1 ? faultMs : Math.round(share * (faultMs ?? FAULTS_UNTIL_MS));
    return {
      ...(scenario === undefined ? {} : planOfScenario(scenario)),
      nodes,
      seed,
      ...surroundings,
      ...(faultsUntilMs === undefined ? {} : { faultsUntilMs }),
      ...(kinds === undefined ? {} : { faults: faultsOfSeed(seed, nodes, faultsUntilMs ?? FAULTS_UNTIL_MS, kinds) }),
      ...(strategies === undefined ? {} : { dishonest }),
    };
  };
  const firstSeed = values.seed === undefined ? (scenario?.seed ?? 1) : seedOf(values.seed);
  const problem = impossibilityOf(planOf(firstSeed));
  if (problem !== undefined) throw new UsageError(`the options do not go together: ${describeImpossibility(problem)}`);
  const named = [
    scenario === undefined ? '' : ` --scenario ${scenario.name}`,
    values['fault-seconds'] === undefined ? '' : ` --fault-seconds ${values['fault-seconds']}`,
    kinds === undefined ? '' : ` --faults ${kinds.join(',') || NONE}`,
    strategies === undefined ? '' : ` --strategies ${strategies.join(',') || NONE}`,
    ...SURROUNDING_FLAGS.map((flag) => (values[flag] === undefined ? '' : ` --${flag} ${values[flag]}`)),
    crypto === 'real' ? ' --crypto real' : '',
  ].join('');
  return {
    firstSeed,
    schedules: scenario === undefined ? SCHEDULES : 1,
    planOf,
    crypto,
    about: [
      `of ${nodes} nodes`,
      ...(scenario === undefined ? [] : [`scenario ${scenario.name}`]),
      ...(kinds === undefined ? [] : [`faults ${kinds.join(',') || NONE}`]),
      ...(strategies === undefined ? [] : [`strategies ${strategies.join(',') || NONE}`]),
      ...SURROUNDING_FLAGS.flatMap((flag) => (values[flag] === undefined ? [] : [`${flag} ${values[flag]}`])),
    ].join(', '),
    again: (seed) => `--seed ${seed} --schedules 1 --nodes ${nodes}${named}`,
  };
}

// Clocks and links when nothing is wrong.
function surroundingsOf(values: Values): Pick<SchedulePlan, 'exactClocks' | 'links'> {
  const { clocks, links } = values;
  if (clocks !== undefined && clocks !== 'exact' && clocks !== 'wrong')
    throw new UsageError(`--clocks must be exact or wrong, got ${clocks}`);
  const kind = LINK_KINDS.find((each) => each === links);
  if (links !== undefined && kind === undefined) throw new UsageError(`--links must be one of ${LINK_KINDS.join(', ')}, got ${links}`);
  const text = values['latency-ms'];
  const latencyMs = text === undefined ? undefined : positive('latency-ms', text);
  if (latencyMs !== undefined && (latencyMs < LATENCY_MS_MIN || latencyMs > LATENCY_MS_MAX))
    throw new UsageError(`--latency-ms must be from ${LATENCY_MS_MIN} to ${LATENCY_MS_MAX}, got "${text}"`);
  if (latencyMs !== undefined && kind === 'wan') throw new UsageError('--links wan are as long as regions are apart, got --latency-ms');
  return {
    ...(clocks === undefined ? {} : { exactClocks: clocks === 'exact' }),
    ...(kind === undefined && latencyMs === undefined
      ? {}
      : { links: { ...(kind === undefined ? {} : { kind }), ...(latencyMs === undefined ? {} : { latencyMs }) } }),
  };
}

function parse(args: readonly string[]) {
  return readArguments(args, {
    seed: { type: 'string' },
    schedules: { type: 'string' },
    minutes: { type: 'string' },
    scenario: { type: 'string' },
    replay: { type: 'string' },
    nodes: { type: 'string' },
    'fault-seconds': { type: 'string' },
    faults: { type: 'string' },
    strategies: { type: 'string' },
    clocks: { type: 'string' },
    links: { type: 'string' },
    'latency-ms': { type: 'string' },
    crypto: { type: 'string' },
    workers: { type: 'string' },
    timeline: { type: 'boolean', default: false },
    whole: { type: 'boolean', default: false },
    html: { type: 'string' },
    log: { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
    out: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
}

function readPlanFile(file: string): ReturnType<typeof readPlan> {
  try {
    return readPlan(file, readFileSync(file, 'utf8'));
  } catch (error) {
    if (isError(error, 'simulation/bad-plan')) throw new UsageError(`--replay ${file}: ${error.facts.detail}`);
    throw new UsageError(`--replay ${file} cannot be read: ${(error as Error).message}`);
  }
}

function scenarioOf(name: string): Scenario | undefined {
  if (name === 'swarm') return undefined;
  const scenario = REGRESSIONS.find((each) => each.name === name);
  if (scenario === undefined)
    throw new UsageError(`--scenario ${name} is not known; known are swarm, ${REGRESSIONS.map((each) => each.name).join(', ')}`);
  return scenario;
}

// In the order of all: so that the same choice draws the same, in whichever order it is said.
function choiceOf<T extends string>(flag: string, all: readonly T[], text: string): readonly T[] {
  if (text === NONE) return [];
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !(all as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new UsageError(`--${flag} ${text}: "${unknown}" is not known; known are ${all.join(', ')}, or ${NONE} alone`);
  const twice = names.find((name, place) => names.indexOf(name) < place);
  if (twice !== undefined) throw new UsageError(`--${flag} ${text}: ${twice} is named twice`);
  return all.filter((name) => names.includes(name));
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new UsageError(`--${flag} must be a number above 0, got "${text}"`);
  return value;
}

function countOf(flag: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1)
    throw new UsageError(`--${flag} must be a whole number from 1, got "${text}"`);
  return value;
}

function faultMsOf(text: string): number {
  const seconds = positive('fault-seconds', text);
  if (seconds < FAULT_SECONDS_MIN || seconds > FAULT_SECONDS_MAX)
    throw new UsageError(`--fault-seconds must be from ${FAULT_SECONDS_MIN} to ${FAULT_SECONDS_MAX}, got "${text}"`);
  return Math.round(seconds * 1_000);
}

function seedOf(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seed)) throw new UsageError(`--seed must be a whole number from 0, got "${text}"`);
  return seed;
}
