// The swarm for as long as you like, on all cores. Appends a line to docs/soak.jsonl with the commit, the seeds, and what was injected and
// found, and begins with the seed after the last one there: no hour repeats another.
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeHardware } from '../bench/devnet/resource-use.ts';

const USAGE = `usage: npm run soak:simulate -- [--minutes 60] [--nodes 4] [--crypto stand-in] [--seed <n>] [--file docs/soak.jsonl] [--json]

Runs schedules of the swarm on all cores for so long and appends what came of them to docs/soak.jsonl. Begins with the seed after the last one
there, unless told. Ends with the exit code of npm run simulate; an interrupted run is recorded too.`;

const ROOT = join(import.meta.dirname, '..');
const MAIN = join(ROOT, 'src/simulation/main.ts');
const NO_VERDICT = 2;

/** A line of docs/soak.jsonl, as far as it matters here. */
interface SoakLine {
  readonly soak: string;
  readonly nodes?: number;
  readonly crypto?: string;
  readonly lastSeed?: number;
}

/** What `npm run simulate -- --json` ends with. */
interface Figures {
  readonly seed: number;
  readonly schedules: number;
  readonly simulatedSeconds: number;
  readonly [figure: string]: unknown;
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    nodes: { type: 'string', default: '4' },
    crypto: { type: 'string', default: 'stand-in' },
    seed: { type: 'string' },
    file: { type: 'string', default: join(ROOT, 'docs/soak.jsonl') },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(USAGE);
else process.exitCode = await soak();

async function soak(): Promise<number> {
  const { minutes, nodes, crypto, file } = values;
  const startedAt = new Date();
  const seed = values.seed ?? String(nextSeed(file, Number(nodes), crypto));
  const { code, lastLine } = await simulate(['--minutes', minutes, '--seed', seed, '--nodes', nodes, '--crypto', crypto, '--json']);
  const figures = figuresOf(lastLine);
  if (figures === undefined || figures.schedules === 0) return code === 0 ? NO_VERDICT : code; // It has said why.
  const { seed: firstSeed, schedules, seconds, simulatedSeconds, events, transactions, injected, dishonest, violations } = figures;
  const line = JSON.stringify({
    soak: 'simulate',
    commit: execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim(),
    at: startedAt.toISOString(),
    seconds,
    hardware: describeHardware(),
    nodes: Number(nodes),
    crypto,
    firstSeed,
    lastSeed: firstSeed + schedules - 1,
    schedules,
    simulatedHours: Number((simulatedSeconds / 3_600).toFixed(3)),
    events,
    transactions,
    injected,
    dishonest,
    violations,
  });
  appendFileSync(file, `${line}\n`);
  if (values.json) console.log(line);
  return code;
}

// After the last seed of such nodes that is recorded.
function nextSeed(file: string, nodes: number, crypto: string): number {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const before = lines
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as SoakLine)
    .filter((line) => line.soak === 'simulate' && line.nodes === nodes && line.crypto === crypto);
  return 1 + before.reduce((last, { lastSeed = 0 }) => Math.max(last, lastSeed), 0);
}

function simulate(args: readonly string[]): Promise<{ code: number; lastLine: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    // From a terminal an interrupt comes to both of us; the other one then says what it has done so far.
    process.on('SIGINT', () => child.kill('SIGINT'));
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? NO_VERDICT, lastLine: output.trim().split('\n').at(-1) ?? '' }));
  });
}

function figuresOf(line: string): Figures | undefined {
  try {
    return JSON.parse(line) as Figures;
  } catch {
    return undefined;
  }
}
