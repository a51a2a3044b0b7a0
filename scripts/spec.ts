// Explores the formal model of consensus in spec/ with Quint: types, hand-written schedules, then random runs of every instance from
// fixed seeds with a fixed budget. Prints what was explored, and fails where a property is violated that should hold, or none where a
// rule was left out: npm run spec -- --help has the options.
import { availableParallelism } from 'node:os';
import { readArguments, UsageError } from '../src/simulation/command-arguments.ts';
import { printLine } from '../src/simulation/result-output.ts';
import { runCommand } from '../src/simulation/run-command.ts';
import { outputOfQuint } from './quint.ts';

/** Random runs of each instance in which everything must hold; a run has so many steps. */
export const SAMPLES = 25;
const STEPS = 60;
const SAMPLES_MAX = 1_000_000;
/** Random runs in which a violation must turn up where a rule is left out. */
const SAMPLES_WITHOUT_RULE = 300;
const STEPS_WITHOUT_RULE = 50;

const USAGE = `usage: npm run spec -- [options]

Explores the formal model of consensus in spec/ with Quint: types, schedules by hand, random runs of every instance from fixed seeds.
  --samples ${SAMPLES}   random runs of each instance in which everything must hold

Exit code 0 means that everything came out as expected, 1 that something did not; anything else is no verdict.`;

const VIOLATION = /^\[violation\] Found an issue/m;
const ALWAYS = ['certificatesHold', 'votingRules', 'recordCovers', 'tcsAreUsable', 'innocence', 'accountability'] as const;
const WITNESSES = [
  'hasCommitted',
  'hasCommittedTwice',
  'hasCommittedAfterTimeout',
  'hasVotedBesideCommitVote',
  'isForked',
  'hasEnded',
  'hasEndedByCarrier',
] as const;

/** One process of the tool. */
interface Exploration {
  readonly name: string;
  readonly args: readonly string[];
  /** The verdict that is right, as the tool prints it. */
  readonly expected: RegExp;
  /** States of interest that at least one run must reach. */
  readonly witnesses: readonly string[];
  readonly explored: string;
}

interface Result {
  readonly exploration: Exploration;
  readonly isAsExpected: boolean;
  readonly seconds: number;
  readonly output: string;
}

function explorations(samples: number): readonly Exploration[] {
  // The other commands check types as well, but say so only where they are wrong.
  const types: Exploration = {
    name: 'typecheck',
    args: ['typecheck', 'spec/scenarios.qnt'],
    expected: /^\s*$/,
    witnesses: [],
    explored: 'types and effects',
  };
  const scenarios: Exploration = {
    name: 'scenarios',
    args: ['test', 'spec/scenarios.qnt', '--backend', 'typescript', '--seed', '1'],
    expected: /^ *\d+ passing(?![\s\S]*failed)/m,
    witnesses: [],
    explored: 'schedules by hand',
  };
  return [
    types,
    scenarios,
    holding('init', [...ALWAYS, 'agreement', 'uniqueQcs'], samples, ['hasCommitted', 'hasCommittedTwice', 'hasCommittedAfterTimeout']),
    holding('initWithTwoByzantine', ALWAYS, samples, ['hasCommitted']),
    holding('initToEnd', [...ALWAYS, 'agreement', 'uniqueQcs', 'canEnd', 'endsWithClosing'], samples, ['hasEnded', 'hasEndedByCarrier']),
    // From seed 1 it takes a minute until two honest validators vote for both blocks of one leader.
    violating('initWithManyVotes', 'uniqueQcs', '0xc9eb9'),
    violating('initWithLateVotes', 'votingRules'),
    violating('initWithLateCommitVotes', 'innocence'),
    violating('initWithLowTc', 'certificatesHold'),
    violating('initWithEmptyClaims', 'tcsAreUsable'),
    violating('initWithForgetful', 'votingRules'),
    violating('initWithoutCarriers', 'canEnd'),
  ];
}

function holding(init: string, invariants: readonly string[], samples: number, witnesses: readonly string[]): Exploration {
  return {
    name: init,
    args: [...randomRuns(init, samples, STEPS, '1'), '--invariants', ...invariants, '--witnesses', ...WITNESSES],
    expected: /^\[ok\] No violation found/m,
    witnesses,
    explored: `${samples} runs × ${STEPS} steps, ${invariants.length} properties hold`,
  };
}

function violating(init: string, invariant: string, seed = '1'): Exploration {
  return {
    name: init,
    args: [...randomRuns(init, SAMPLES_WITHOUT_RULE, STEPS_WITHOUT_RULE, seed), '--invariants', invariant],
    expected: VIOLATION,
    witnesses: [],
    explored: `at most ${SAMPLES_WITHOUT_RULE} runs × ${STEPS_WITHOUT_RULE} steps until ${invariant} is violated`,
  };
}

function randomRuns(init: string, samples: number, steps: number, seed: string): readonly string[] {
  const budget = ['--max-samples', `${samples}`, '--max-steps', `${steps}`];
  return ['run', 'spec/instances.qnt', '--backend', 'typescript', '--seed', seed, '--verbosity', '1', '--init', init, ...budget];
}

async function explore(exploration: Exploration): Promise<Result> {
  const startedAt = performance.now();
  const output = await outputOfQuint(...exploration.args);
  const hasReached = exploration.witnesses.every(
    (name) => Number(new RegExp(`^${name} was witnessed in (\\d+)`, 'm').exec(output)?.[1]) > 0,
  );
  const isAsExpected = exploration.expected.test(output) && hasReached;
  return { exploration, isAsExpected, seconds: (performance.now() - startedAt) / 1000, output };
}

function describe({ exploration, isAsExpected, seconds, output }: Result): string {
  const reached = [...output.matchAll(/^(\w+) was witnessed in (\d+) trace/gm)].map(([, name, times]) => `${name} ${times}`).join(', ');
  const passing = /^ *(\d+) passing/m.exec(output)?.[1];
  const seed = /--seed=(0x[0-9a-f]+)/.exec(output)?.[1];
  const notes = [exploration.explored, reached, passing === undefined ? '' : `${passing} as told`];
  if (exploration.expected === VIOLATION && isAsExpected) notes.push(`found with seed ${seed}`);
  const line = notes.filter((note) => note !== '').join('; ');
  return `${isAsExpected ? 'ok  ' : 'FAIL'} ${exploration.name.padEnd(24)} ${seconds.toFixed(1).padStart(6)} s  ${line}`;
}

/** Explores everything, two processes at a time, and tells a line of each; true if all came out as expected. */
export async function exploreAll(samples: number, tell: (line: string) => unknown): Promise<boolean> {
  const waiting = [...explorations(samples)];
  const total = waiting.length;
  let asExpected = 0;
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const result = await explore(next);
      await tell(describe(result));
      if (result.isAsExpected) asExpected++;
      else await tell(result.output);
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker));
  await tell(`${asExpected} of ${total} explorations as expected`);
  return asExpected === total;
}

async function main(): Promise<number> {
  const { samples, help } = readArguments(process.argv.slice(2), {
    samples: { type: 'string', default: `${SAMPLES}` },
    help: { type: 'boolean', default: false },
  });
  if (help) {
    await printLine(USAGE);
    return 0;
  }
  const count = Number(samples);
  if (!/^\d+$/.test(samples) || count < 1 || count > SAMPLES_MAX)
    throw new UsageError(`--samples must be a whole number from 1 to ${SAMPLES_MAX}, got "${samples}"`);
  return (await exploreAll(count, printLine)) ? 0 : 1;
}

if (import.meta.main) runCommand({ name: 'spec', usage: USAGE, run: main });
