// npm run simulate:mutants: whether the checks of the simulator see each rule that is broken on purpose. Each mutant has its trials one after
// the other to the first violation, and the first should do; then all trials that were needed run without any patch, once each, and nothing may
// be violated. Exit code 0 means that every mutant was caught by a property and that the unpatched code was not; anything else is not 0.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { readArguments, UsageError } from '../command-arguments.ts';
import { printLine } from '../result-output.ts';
import { runCommand } from '../run-command.ts';
import { MUTANTS } from './catalogue.ts';
import type { Mutant } from './mutant.ts';
import { MutantCrew } from './mutant-crew.ts';
import type { Trial } from './trial.ts';
import { typeFaultsOf } from './type-check.ts';
import { type MutantVerdict, verdictOn } from './verdict.ts';

const USAGE = `usage: npm run simulate:mutants -- [options]

  --only <name>   this mutant only; may be given again
  --workers <n>   processes at once, as many as there are processors when absent
  --list          print the mutants and the rules that they break, and run nothing
  --json          print all figures as one JSON object in the last line`;

const ROOT = join(import.meta.dirname, '..', '..', '..');
const WORKERS_MAX = 64;
const FAULTS_SHOWN_MAX = 20;

/** What became of one mutant. */
interface Outcome extends MutantVerdict {
  readonly mutant: string;
  readonly schedules: number;
  readonly elapsedMs: number;
  readonly processorMs: number;
  readonly events: number;
}

/** When this process ends, so do those that run mutants. */
const crew = new MutantCrew();
process.on('exit', () => crew.close());

runCommand({ name: 'simulate:mutants', usage: USAGE, run: main });

async function main(): Promise<number> {
  const { mutants, workers, isList, isJson, isHelp } = readOptions();
  if (isHelp || isList) {
    await printLine(isHelp ? USAGE : mutants.map(({ name, rule, violates }) => `${name}: ${rule} (${violates.join(', ')})`).join('\n'));
    return 0;
  }
  process.env['NODE_COMPILE_CACHE'] ??= join(ROOT, 'node_modules', '.cache', 'compile');
  const startMs = performance.now();
  const typeFaults = typeFaultsOf(mutants, ROOT);
  for (const fault of typeFaults.slice(0, FAULTS_SHOWN_MAX)) console.error(fault);
  if (typeFaults.length > 0) throw new Error('mutants that do not type-check say nothing about the checks');
  const typeCheckMs = Math.round(performance.now() - startMs);
  await printLine(rowOf('mutant', 'caught by', 'schedules', 'ms', 'CPU ms', 'rule'));
  const outcomes = await inParallel(mutants, workers, async (mutant) => {
    const outcome = await runMutant(mutant);
    const { caughtBy = 'SURVIVED', schedules, elapsedMs, processorMs } = outcome;
    await printLine(rowOf(mutant.name, caughtBy, schedules, elapsedMs, processorMs, mutant.rule));
    if (outcome.caughtBy === undefined) await printLine(`  ${outcome.detail}`);
    else if (schedules > 1)
      await printLine(`  its first trial shows nothing any more, and trial ${schedules} does: put one first that does`);
    return outcome;
  });
  const trials = trialsOf(mutants, outcomes);
  const pristine = await inParallel(trials, workers, runPristine);
  crew.close();
  const survivors = outcomes.filter(({ caughtBy }) => caughtBy === undefined).map(({ mutant }) => mutant);
  const falseAlarms = pristine.filter((found) => found !== undefined);
  for (const alarm of falseAlarms) console.error(`without any patch: ${alarm}`);
  const seconds = (performance.now() - startMs) / 1_000;
  const caught = outcomes.length - survivors.length;
  console.error(
    `${caught} of ${outcomes.length} mutants caught; ${trials.length} schedules without a patch, ${falseAlarms.length} violations; ${seconds.toFixed(0)} s`,
  );
  const figures = {
    mutants: outcomes.length,
    caught,
    survivors,
    pristineSchedules: trials.length,
    falseAlarms,
    seconds: Number(seconds.toFixed(1)),
    typeCheckMs,
    outcomes,
  };
  if (isJson) await printLine(JSON.stringify(figures));
  return survivors.length === 0 && falseAlarms.length === 0 ? 0 : 1;
}

async function runMutant(mutant: Mutant): Promise<Outcome> {
  const startMs = performance.now();
  const ended = await crew.run({ mutant: mutant.name, task: { trials: mutant.trials, mayCrash: true } });
  const elapsedMs = Math.round(performance.now() - startMs);
  const { trials, processorMs, events } = ended.findings ?? { trials: 0, processorMs: 0, events: 0 };
  return { mutant: mutant.name, schedules: trials, elapsedMs, processorMs, events, ...verdictOn(mutant, ended) };
}

async function runPristine(trial: Trial): Promise<string | undefined> {
  const { findings, reason } = await crew.run({ mutant: '', task: { trials: [trial], mayCrash: false } });
  if (findings === undefined) return `its process ended without a verdict: ${reason}`;
  const { violation } = findings;
  return violation === undefined ? undefined : `${violation.property}: ${violation.detail} (${JSON.stringify(trial)})`;
}

// Each trial that a mutant was run under, once.
function trialsOf(mutants: readonly Mutant[], outcomes: readonly Outcome[]): readonly Trial[] {
  const used = new Map<string, Trial>();
  for (const [index, { trials }] of mutants.entries())
    for (const trial of trials.slice(0, outcomes[index]?.schedules)) used.set(JSON.stringify(trial), trial);
  return [...used.values()];
}

// In the order of the items, so many at once.
async function inParallel<T, R>(items: readonly T[], workers: number, run: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  let next = 0;
  const serve = async (): Promise<void> => {
    while (next < items.length) {
      const place = next++;
      results[place] = await run(items[place] as T);
    }
  };
  await Promise.all(Array.from({ length: workers }, serve));
  return results;
}

function rowOf(
  name: string,
  caughtBy: string,
  schedules: number | string,
  elapsedMs: number | string,
  processorMs: number | string,
  rule: string,
): string {
  const figures = [schedules, elapsedMs, processorMs].map((figure) => String(figure).padStart(9));
  return `${name.padEnd(36)} ${caughtBy.padEnd(13)} ${figures.join(' ')}  ${rule}`;
}

function readOptions(): {
  readonly mutants: readonly Mutant[];
  readonly workers: number;
  readonly isList: boolean;
  readonly isJson: boolean;
  readonly isHelp: boolean;
} {
  const { only, workers, list, json, help } = readArguments(process.argv.slice(2), {
    only: { type: 'string', multiple: true, default: [] },
    workers: { type: 'string' },
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  const unknown = only.filter((name) => !MUTANTS.some((mutant) => mutant.name === name));
  if (unknown.length > 0) throw new UsageError(`no mutant is named ${unknown.join(', ')}; --list has them`);
  const count = workers === undefined ? availableParallelism() : Number(workers);
  if (!Number.isInteger(count) || count < 1 || count > WORKERS_MAX)
    throw new UsageError(`--workers must be a whole number from 1 to ${WORKERS_MAX}, got "${workers}"`);
  const mutants = only.length === 0 ? MUTANTS : MUTANTS.filter(({ name }) => only.includes(name));
  return { mutants, workers: count, isList: list, isJson: json, isHelp: help };
}
