// npm run simulate: whole nodes under faults on virtual time, from the command line. Exit code 0 means that every schedule ran to its end and
// no property was violated, 1 that one was; whatever else ends the program is no verdict, and 2 or the signal's code.
import { join } from 'node:path';
import { UsageError } from './command-arguments.ts';
import { type Options, readOptions, USAGE } from './command-line.ts';
import { Crew } from './crew.ts';
import { obstacleToFolder, obstacleToPage, terminalTimeline, writeFailure, writePage } from './failure-files.ts';
import { printLine } from './result-output.ts';
import { runCommand } from './run-command.ts';
import type { ScheduleReport } from './schedule.ts';
import { prepareJobs, type RunJob } from './schedule-job.ts';
import { explicitPlan, shrink } from './shrink.ts';
import { runInOrder, type ScheduleResult, SwarmTally } from './swarm.ts';

const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
/** Failures that are shrunk: the first of each property, and not more than so many. */
const SHRUNK_MAX = 3;
const SHRINK_RUNS_MAX = 400;
const SHRINK_MS_MAX = 180_000;

/** Schedules that have begun and are not over: whose fault it is when something is thrown beside all promises. */
const underway = new Set<number>();

runCommand({ name: 'simulate', usage: USAGE, run: simulate, underway: describeUnderway });

function describeUnderway(): string | undefined {
  return underway.size === 0 ? undefined : `schedules under way were those of seed ${[...underway].join(', ')}`;
}

async function simulate(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) {
    await printLine(USAGE);
    return 0;
  }
  requirePlaces(options);
  const run = await prepareJobs();
  const tally = new SwarmTally();
  const startMs = performance.now();
  let crew: Crew | undefined;
  // Before there are workers: whoever sees them may interrupt.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      console.error(`simulate: ended by ${signal}`);
      summarise(options, tally, performance.now() - startMs)
        .catch((error: Error) => console.error(`simulate: ${error.message}`))
        .finally(() => {
          crew?.close();
          process.exit(SIGNAL_CODES[signal]);
        });
    });
  crew = options.workers > 1 ? new Crew(options.workers) : undefined;
  try {
    const failures = await runAll(options, run, crew, tally, startMs);
    const elapsedMs = performance.now() - startMs;
    crew?.close();
    if (tally.isEmpty()) throw new UsageError('--minutes: the time was over before a schedule began');
    await shrinkAll(options, run, failures);
    return await summarise(options, tally, elapsedMs);
  } finally {
    crew?.close();
  }
}

function requirePlaces({ html, outFolder }: Options): void {
  const toPage = html === undefined ? undefined : obstacleToPage(html);
  if (toPage !== undefined) throw new UsageError(`--html ${html} cannot be written: ${toPage}`);
  const toFolder = outFolder === undefined ? undefined : obstacleToFolder(outFolder);
  if (toFolder !== undefined) throw new UsageError(`--out ${outFolder} cannot be written: ${toFolder}`);
}

// Gives the results with a violation.
async function runAll(
  options: Options,
  run: RunJob,
  crew: Crew | undefined,
  tally: SwarmTally,
  startMs: number,
): Promise<readonly ScheduleResult[]> {
  const { firstSeed, schedules, minutes, workers, planOf, crypto } = options;
  const endMs = minutes === undefined ? Number.POSITIVE_INFINITY : startMs + minutes * 60_000;
  const failures: ScheduleResult[] = [];
  await runInOrder({
    firstSeed,
    schedules,
    width: workers,
    mayGoOn: () => performance.now() < endMs,
    run: async (seed) => {
      underway.add(seed);
      const job = { plan: planOf(seed), crypto };
      const result = crew === undefined ? await shown(options, await run(job)) : await crew.run(job);
      underway.delete(seed);
      return result;
    },
    onResult: (result) => {
      tally.add(result);
      if (result.violation === undefined) return;
      failures.push(result);
      describeViolation(result, options);
    },
  });
  return failures;
}

// A schedule that ran here: what is to be seen of it is shown, and its log let go.
async function shown(options: Options, report: ScheduleReport): Promise<ScheduleResult> {
  const { log, timeline, whole, html, crypto, planOf, again } = options;
  const { eventLog, ...result } = report;
  if (log) await printLine(eventLog.join('\n'));
  if (timeline) await printLine(terminalTimeline(report, whole));
  if (html !== undefined) {
    const about = [`npm run simulate -- ${again(report.seed)}`];
    writePage(html, { plan: explicitPlan(planOf(report.seed), report), crypto, report, about });
    console.error(`the page is ${html}`);
  }
  return result;
}

function describeViolation({ seed, violation, faults, dishonest }: ScheduleResult, { again }: Options): void {
  const where = violation?.node === undefined ? '' : ` by ${violation.node}`;
  console.error(`seed ${seed}: ${violation?.property} violated at ${violation?.atMs} ms${where}`);
  console.error(`  ${violation?.detail}`);
  for (const { validator, strategy } of dishonest) console.error(`  validator ${validator} is dishonest: ${strategy}`);
  for (const { fromMs, forMs, what } of faults) console.error(`  ${fromMs} to ${fromMs + forMs} ms: ${JSON.stringify(what)}`);
  console.error(`  again: npm run simulate -- ${again(seed)} --timeline`);
}

async function shrinkAll(options: Options, run: RunJob, failures: readonly ScheduleResult[]): Promise<void> {
  const first = new Map<string, ScheduleResult>();
  for (const failure of failures) {
    const property = failure.violation?.property ?? '';
    if (!first.has(property)) first.set(property, failure);
  }
  for (const failure of [...first.values()].slice(0, SHRUNK_MAX)) await shrinkOne(options, run, failure);
}

async function shrinkOne(options: Options, run: RunJob, found: ScheduleResult): Promise<void> {
  const { crypto, outFolder = 'artifacts', planOf, again, whole } = options;
  const { seed } = found;
  const report = await run({ plan: planOf(seed), crypto });
  if (report.eventLogHash !== found.eventLogHash)
    throw new Error(`the schedule of seed ${seed} gave another event log when it ran again: the simulator is not deterministic`);
  const endMs = performance.now() + SHRINK_MS_MAX;
  const shrunk = options.isShrinking
    ? await shrink(planOf(seed), report, {
        run: (plan) => run({ plan, crypto }),
        runsMax: SHRINK_RUNS_MAX,
        mayGoOn: () => performance.now() < endMs,
      })
    : undefined;
  const last = { plan: explicitPlan(planOf(seed), report), report, ...shrunk };
  const folder = join(outFolder, `simulate-${seed}`);
  const about = [`found by: npm run simulate -- ${again(seed)}`, `again: npm run simulate -- --replay ${join(folder, 'scenario.json')}`];
  const scenario = writeFailure(folder, { plan: last.plan, report: last.report, crypto, about });
  console.error(`\n${terminalTimeline(last.report, whole)}\n`);
  if (shrunk !== undefined) console.error(`${describeShrunk(shrunk)}:\n  ${last.report.violation?.detail}`);
  console.error(`  its page, log and text are beside ${scenario}; again: npm run simulate -- --replay ${scenario}`);
}

function describeShrunk({ plan, runs, ended }: Awaited<ReturnType<typeof shrink>>): string {
  const { seed, nodes, faults = [], dishonest = [] } = plan;
  const why = { 'nothing-smaller': 'nothing smaller shows it', runs: 'no more runs were allowed', time: 'the time was over' }[ended];
  return `seed ${seed} is shrunk in ${runs} runs to ${nodes} nodes, ${faults.length} faults, ${dishonest.length} dishonest validators (${why})`;
}

// Prints the figures; gives the exit code.
async function summarise({ firstSeed, about, workers, json }: Options, tally: SwarmTally, elapsedMs: number): Promise<number> {
  const seconds = elapsedMs / 1_000;
  const { events, simulatedSeconds, violations, eventLogHash, schedules, ...others } = tally.summary();
  const eventsPerSecond = Math.round(events / seconds);
  console.error(
    `${schedules} schedules ${about} from seed ${firstSeed}: ${violations.length} violations; ` +
      `${simulatedSeconds.toFixed(0)} s simulated in ${seconds.toFixed(0)} s, ${eventsPerSecond} events a second; ` +
      `median ${others.medianBlocks} blocks, ${others.medianFaults} faults of ${others.medianFaultKinds} kinds`,
  );
  if (json) {
    const promised = { seed: firstSeed, events, eventsPerSecond, simulatedSeconds, violations, eventLogHash };
    const timesRealTime = Number((simulatedSeconds / seconds).toFixed(1));
    await printLine(JSON.stringify({ ...promised, schedules, seconds: Number(seconds.toFixed(1)), workers, timesRealTime, ...others }));
  }
  return violations.length === 0 ? 0 : 1;
}
