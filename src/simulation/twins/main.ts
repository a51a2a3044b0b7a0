// npm run simulate:twins: every Twins scenario of so many rounds, from the command line. Exit code 0 means that all were run and everything held;
// 1, that something did not; 2, that the options make no sense or the enumeration itself failed.
import { installHashtree } from '../../runtime/native/ssz-hashtree.ts';
import { readArguments, UsageError } from '../command-arguments.ts';
import { printLine } from '../result-output.ts';
import { runCommand } from '../run-command.ts';
import { exploreTwins, type FailedScenario, type TwinsReport } from './explore.ts';
import { nameOfPlan, PLAN_SETS, type PlanSet } from './scenario.ts';

const VALIDATORS = 4;
const ROUNDS_MAX = 6;

const USAGE = `usage: npm run simulate:twins -- [options]

Runs every scenario of ${VALIDATORS} validators of which the first has a twin: leaders, partitions and their spans, round by round.
  --rounds 3     1 to ${ROUNDS_MAX}
  --plans cuts   what may happen in a round: ${Object.keys(PLAN_SETS).join(', ')}
  --pairs 1      validators with a twin: 1, or 2, which is more than a third: then agreement breaks
  --first        end with the first scenario in which something does not hold
  --json         print all figures as one JSON object in the last line`;

runCommand({ name: 'simulate:twins', usage: USAGE, run: main });

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    await printLine(USAGE);
    return 0;
  }
  const { rounds, planSet, twins, first, json } = options;
  await installHashtree({ disableNative: false });
  const startMs = performance.now();
  const report = exploreTwins({ cast: { validators: VALIDATORS, twins }, rounds, planSet, stopAtFailure: first });
  const seconds = (performance.now() - startMs) / 1_000;
  for (const failure of report.failures) describe(failure);
  console.error(
    `${report.scenarios} scenarios of ${rounds} rounds, ${report.distinct} of them distinct, ${report.failed} failed; ${report.withCommit} commit before the ` +
      `network is whole; ${report.worlds} worlds and ${report.roundsRun} rounds in ${seconds.toFixed(1)} s; recovered after ${report.roundsToRecoverMax} rounds at most`,
  );
  if (json)
    await printLine(JSON.stringify({ rounds, plans: planSet, pairs: twins, seconds: Number(seconds.toFixed(1)), ...plain(report) }));
  return report.failed === 0 ? 0 : 1;
}

function describe({ violation, leaders, plans }: FailedScenario): void {
  console.error(`${violation.property} does not hold: ${violation.detail}`);
  for (const [index, leader] of leaders.entries()) {
    const plan = plans[index];
    console.error(`  round ${index + 1}: led by ${leader}, ${plan === undefined ? 'any partition' : nameOfPlan(plan)}`);
  }
}

function plain({ failures, ...figures }: TwinsReport): Readonly<Record<string, unknown>> {
  return {
    ...figures,
    failures: failures.map(({ violation, leaders, plans }) => ({ ...violation, leaders, plans: plans.map((plan) => nameOfPlan(plan)) })),
  };
}

// Undefined where only help is wanted.
function readOptions() {
  const values = readArguments(process.argv.slice(2), {
    rounds: { type: 'string', default: '3' },
    plans: { type: 'string', default: 'cuts' },
    pairs: { type: 'string', default: '1' },
    first: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (values.help) return undefined;
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > ROUNDS_MAX)
    throw new UsageError(`--rounds must be a whole number from 1 to ${ROUNDS_MAX}, got "${values.rounds}"`);
  if (values.pairs !== '1' && values.pairs !== '2') throw new UsageError(`--pairs must be 1 or 2, got "${values.pairs}"`);
  if (!isPlanSet(values.plans)) throw new UsageError(`--plans must be one of ${Object.keys(PLAN_SETS).join(', ')}, got "${values.plans}"`);
  return { rounds, planSet: values.plans, twins: Number(values.pairs), first: values.first, json: values.json };
}

function isPlanSet(name: string): name is PlanSet {
  return Object.hasOwn(PLAN_SETS, name);
}
