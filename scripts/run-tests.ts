// Runs the named parts of the test suite on node's own runner and ends with one summary for all of them:
//   node scripts/run-tests.ts [--only text] unit simulation conformance system
// Parts differ in what they may use of the machine: unit tests share the cores, a system test has the machine to itself,
// because it starts four validators and looks at the time. Later parts run even when an earlier one failed.
import { globSync } from 'node:fs';
import { tmpdir } from 'node:os';
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
};

/** Every folder of tests belongs to exactly one part; test/house checks that. */
export const PARTS: Readonly<Record<string, Part>> = {
  unit: {
    pattern: 'test/{core,storage,network,node}/**/*.test.ts',
    concurrency: 2,
    fileTimeoutMs: 120_000,
  },
  // Threads, HTTP and key derivation: seconds of the processor, which would make the unit tests slower than half a minute.
  shell: { pattern: 'test/{runtime,sync,rpc,cli}/**/*.test.ts', concurrency: 2, fileTimeoutMs: 120_000 },
  house: { pattern: 'test/house/**/*.test.ts', concurrency: 2, fileTimeoutMs: 120_000 },
  // On one core in all: fixed numbers of inputs, 30 seconds together.
  fuzz: { pattern: 'test/fuzz/**/*.test.ts', concurrency: 1, fileTimeoutMs: 120_000 },
  simulation: {
    pattern: 'test/simulation/**/*.test.ts',
    concurrency: 2,
    fileTimeoutMs: 1_200_000,
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
    first: ['test/processes/commands.test.ts', 'test/processes/tools/messenger.test.ts', 'test/processes/tools/hardhat.test.ts'],
  },
  system: { pattern: 'test/system/**/*.test.ts', concurrency: 1, fileTimeoutMs: 300_000 },
};

const ROOT = join(import.meta.dirname, '..');
// Hundreds of processes load the same modules: what Node has stripped and compiled once is kept for the others, by the content of each file.
process.env['NODE_COMPILE_CACHE'] ??= join(tmpdir(), 'coppice-compile-cache');
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

/** The events of all parts in turn, their totals held back and given once at the end, with the suites that were skipped. */
async function* runParts(names: readonly string[], only: string, stop: AbortSignal, totals: Totals): AsyncGenerator<unknown> {
  const notRun: string[] = [];
  for (const name of names) {
    const part = PARTS[name];
    if (part === undefined) throw new Error(`no part named ${name}`);
    const files = globSync(part.pattern, { cwd: ROOT })
      .filter((file) => file.includes(only))
      .sort(inOrderOf(part))
      .map((file) => join(ROOT, file));
    if (files.length === 0) continue;
    process.stdout.write(`— ${name}: ${files.length} files, ${Math.round(process.uptime())} s after the start\n`);
    const events = run({ files, concurrency: part.concurrency, timeout: part.fileTimeoutMs, signal: stop, cwd: ROOT });
    for await (const event of events as AsyncIterable<RunnerEvent>) {
      if (event.type === 'test:summary') continue;
      if (isSkippedSuite(event)) notRun.push(describeSkip(event));
      if (!addToTotals(event, totals)) yield event;
    }
  }
  for (const total of TOTALS) {
    yield summaryLine(`${total} ${Math.round(totals[total])}`);
  }
  yield summaryLine(`skipped suites ${notRun.length}`);
  for (const line of notRun) yield summaryLine(line);
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
  // Every file is a process of its own, and most load the same modules: compiling them once saves a quarter of the time.
  process.env['NODE_COMPILE_CACHE'] ??= join(ROOT, 'node_modules', '.cache', 'compile');
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  const totals = Object.fromEntries(TOTALS.map((total) => [total, 0])) as Totals;
  const reporter = new spec();
  const report = Readable.from(runParts(positionals, values.only, interrupted.signal, totals)).pipe(reporter);
  for await (const text of report) process.stdout.write(text);
  const failed = totals.fail + totals.cancelled > 0 || interrupted.signal.aborted || totals.tests === 0;
  process.exitCode = failed ? 1 : 0;
}

if (import.meta.main) await main();
