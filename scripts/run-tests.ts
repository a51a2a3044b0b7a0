// Runs the named parts of the test suite on node's own runner and ends with one summary for all of them:
//   node scripts/run-tests.ts [--only text] unit simulation conformance system
// Parts differ in what they may use of the machine: unit tests share the cores, a system test has the machine to itself,
// because it starts four validators and looks at the time. What runs in virtual time can wait: beside other parts it takes what they
// leave of the processor, and its report comes after theirs. Later parts run even when an earlier one failed.
import { type ChildProcess, fork } from 'node:child_process';
import { globSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';

type Part = {
  readonly pattern: string;
  readonly concurrency: number;
  readonly fileTimeoutMs: number;
  /** Files that start before all others, the longest first: one that began last would keep one core and leave the other idle. */
  readonly first?: readonly string[];
  /** All files share so many processes: they leave nothing behind in what they load. Without, each has its own. */
  readonly processes?: number;
  /** Nobody in it looks at a real clock: it runs beside the other parts, behind them. */
  readonly isPatient?: boolean;
  /** Options of V8 and Node for each file's process. */
  readonly execArgv?: readonly string[];
};

/** Every folder of tests belongs to exactly one part; test/house checks that. */
export const PARTS: Readonly<Record<string, Part>> = {
  unit: {
    pattern: 'test/{core,storage,network,node}/**/*.test.ts',
    concurrency: 2,
    processes: 2,
    fileTimeoutMs: 300_000,
  },
  // Threads, HTTP and key derivation: seconds of the processor, which would make the unit tests slower than half a minute.
  shell: { pattern: 'test/{runtime,sync,rpc,cli}/**/*.test.ts', concurrency: 2, fileTimeoutMs: 120_000 },
  house: { pattern: 'test/house/**/*.test.ts', concurrency: 2, fileTimeoutMs: 120_000 },
  // Fixed numbers of inputs, in a thread for each core.
  fuzz: { pattern: 'test/fuzz/**/*.test.ts', concurrency: 1, fileTimeoutMs: 120_000 },
  simulation: {
    pattern: 'test/simulation/**/*.test.ts',
    concurrency: 2,
    fileTimeoutMs: 1_200_000,
    isPatient: true,
    // Whole worlds make garbage quickly, and every core has its file: see src/simulation/crew.ts.
    execArgv: ['--min-semi-space-size=64', '--max-semi-space-size=64', '--single-threaded-gc'],
    first: [
      'swarm',
      'mutants',
      'formal-model',
      'adversaries',
      'accountability',
      'simulate-command',
      'twins',
      'four-nodes',
      'determinism',
    ].map((name) => `test/simulation/${name}.test.ts`),
  },
  conformance: { pattern: 'test/conformance/**/*.test.ts', concurrency: 2, fileTimeoutMs: 300_000 },
  // Real processes, sockets or disks that nobody times: two at once.
  processes: {
    pattern: 'test/processes/**/*.test.ts',
    concurrency: 2,
    fileTimeoutMs: 300_000,
    first: ['test/processes/tools/tools.test.ts', 'test/processes/commands.test.ts'],
  },
  system: { pattern: 'test/system/**/*.test.ts', concurrency: 1, fileTimeoutMs: 300_000 },
};

const ROOT = join(import.meta.dirname, '..');
// Every file is a process of its own, and most load the same modules: what Node has stripped and compiled once is kept for the others, by the
// content of each file, which saves a quarter of the time.
process.env['NODE_COMPILE_CACHE'] ??= join(tmpdir(), 'coppice-compile-cache');
const JOINED_TESTS = join(import.meta.dirname, 'joined-tests.ts');
const UNTRACKED_PROMISES = new URL('./untracked-promises.ts', import.meta.url).href;
const USAGE = `usage: node scripts/run-tests.ts [--only text] <part>...

Runs parts of the test suite: ${Object.keys(PARTS).join(', ')}.
  --only text   only files whose path contains the text`;

/** Node's runner reports its totals as diagnostics like \`tests 12\`; these are summed over the parts. */
const TOTALS = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo', 'duration_ms'] as const;

type Totals = Record<(typeof TOTALS)[number], number>;
type RunnerEvent = {
  readonly type: string;
  readonly data: {
    readonly message?: string;
    readonly file?: string;
    readonly name?: string;
    /** Why a test or a suite was skipped; true where no reason was given. */
    readonly skip?: string | boolean;
    readonly details?: { readonly type?: string };
  };
};

/** What is said once for all parts. */
interface Summary {
  readonly totals: Totals;
  /** Suites that were skipped as a whole. */
  readonly notRun: string[];
}

/** The events of all parts in turn, without their totals. */
async function* runParts(names: readonly string[], only: string, stop: AbortSignal, { totals, notRun }: Summary): AsyncGenerator<unknown> {
  for (const name of names) {
    const part = PARTS[name];
    if (part === undefined) throw new Error(`no part named ${name}`);
    const files = globSync(part.pattern, { cwd: ROOT })
      .filter((file) => file.includes(only))
      .sort(inOrderOf(part))
      .map((file) => join(ROOT, file));
    if (files.length === 0) continue;
    process.stdout.write(`— ${name}: ${files.length} files, ${Math.round(process.uptime())} s after the start\n`);
    for (const events of eventsOf(part, files, stop))
      for await (const event of events) {
        if (event.type === 'test:summary') continue;
        if (isSkippedSuite(event)) notRun.push(describeSkip(event));
        if (!addToTotals(event, totals)) yield event;
      }
  }
}

// All of them run at once, whichever is read first.
function eventsOf({ concurrency, processes, fileTimeoutMs, execArgv = [] }: Part, files: string[], signal: AbortSignal) {
  const options = { concurrency, timeout: fileTimeoutMs, execArgv: ['--import', UNTRACKED_PROMISES, ...execArgv], signal, cwd: ROOT };
  if (processes === undefined) return [run({ ...options, files }) as AsyncIterable<RunnerEvent>];
  const shares = Array.from({ length: processes }, (_unused, process) => files.filter((_file, place) => place % processes === process));
  return shares
    .filter((share) => share.length > 0)
    .map((share) => run({ ...options, files: [JOINED_TESTS], argv: share }) as AsyncIterable<RunnerEvent>);
}

function* linesOf({ totals, notRun }: Summary): Generator<unknown> {
  for (const total of TOTALS) yield summaryLine(`${total} ${Math.round(totals[total])}`);
  yield summaryLine(`skipped suites ${notRun.length}`);
  for (const line of notRun) yield summaryLine(line);
}

/** Parts that run in a process of their own at the lowest priority, which their files inherit. */
class PartsBeside {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #text: Buffer[] = [];
  #summary: Summary | undefined;

  constructor(names: readonly string[], only: string, stop: AbortSignal) {
    this.#child = fork(import.meta.filename, ['--only', only, ...names], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
    setPriority(this.#child.pid ?? 0, constants.priority.PRIORITY_LOW);
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#text.push(chunk));
    this.#child.once('message', (summary) => {
      this.#summary = summary as Summary;
    });
    stop.addEventListener('abort', () => this.#child.kill('SIGTERM'));
  }

  /** Waits for the end, shows the report, and adds what it came to; a process that ends without a summary has failed. */
  async addTo({ totals, notRun }: Summary): Promise<void> {
    await this.#ended;
    process.stdout.write(Buffer.concat(this.#text));
    if (this.#summary === undefined) totals.fail++;
    for (const total of TOTALS) totals[total] += this.#summary?.totals[total] ?? 0;
    notRun.push(...(this.#summary?.notRun ?? []));
  }
}

// Those that are named, as they are named; then the others by name.
function inOrderOf({ first = [] }: Part): (a: string, b: string) => number {
  const placeOf = (file: string): number => (first.includes(file) ? first.indexOf(file) : first.length);
  return (a, b) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1);
}

function summaryLine(message: string): unknown {
  return { type: 'test:diagnostic', data: { nesting: 0, level: 'info', message } };
}

// Node's own `skipped` counts single tests only: the tests of a suite that is skipped as a whole appear in no total.
function isSkippedSuite({ type, data }: RunnerEvent): boolean {
  return type === 'test:pass' && data.details?.type === 'suite' && data.skip !== undefined && data.skip !== false;
}

function describeSkip({ data: { name, file, skip } }: RunnerEvent): string {
  return `not run: ${name} (${relative(ROOT, file ?? '')})${typeof skip === 'string' && skip !== '' ? `: ${skip}` : ''}`;
}

/** Takes an event that is one of a part's totals; false for every other event. */
function addToTotals(event: RunnerEvent, totals: Totals): boolean {
  if (event.type !== 'test:diagnostic' || event.data.file !== undefined) return false;
  const [name, value] = (event.data.message ?? '').split(' ');
  const total = TOTALS.find((candidate) => candidate === name);
  if (total === undefined || value === undefined) return false;
  totals[total] += Number(value);
  return true;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { only: { type: 'string', default: '' }, help: { type: 'boolean', default: false } },
  });
  const unknown = positionals.filter((name) => PARTS[name] === undefined);
  if (values.help || positionals.length === 0 || unknown.length > 0) {
    console.error(unknown.length > 0 ? `unknown part: ${unknown.join(', ')}\n${USAGE}` : USAGE);
    process.exitCode = values.help ? 0 : 1;
    return;
  }
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  process.once('disconnect', () => interrupted.abort()); // Whoever started this beside other parts is gone.
  const isAlone = positionals.every((name) => PARTS[name]?.isPatient === PARTS[positionals[0] as string]?.isPatient);
  const patient = isAlone ? [] : positionals.filter((name) => PARTS[name]?.isPatient === true);
  const summary: Summary = { totals: Object.fromEntries(TOTALS.map((total) => [total, 0])) as Totals, notRun: [] };
  const beside = patient.length === 0 ? undefined : new PartsBeside(patient, values.only, interrupted.signal);
  const others = positionals.filter((name) => !patient.includes(name));
  await report(runParts(others, values.only, interrupted.signal, summary));
  await beside?.addTo(summary);
  if (process.send === undefined) await report(linesOf(summary));
  else process.send(summary, () => process.disconnect());
  const { fail, cancelled, tests } = summary.totals;
  process.exitCode = fail + cancelled > 0 || interrupted.signal.aborted || tests === 0 ? 1 : 0;
}

async function report(events: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
  for await (const text of Readable.from(events).pipe(new spec())) process.stdout.write(text);
}

if (import.meta.main) await main();
