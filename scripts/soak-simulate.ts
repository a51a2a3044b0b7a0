// The swarm for as long as you like, on all cores. Appends a line to docs/soak.jsonl with the commit, the seeds, and what was injected and
// found, and begins with the seed after the last one there: no hour repeats another.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOptions } from '../src/simulation/command-line.ts';
import { NO_VERDICT, parseOptions, recordSoak, runSoak, SOAK_FILE, type SoakOutcome, UsageError } from './soak-record.ts';
import { runTool, type ToolEnd } from './soak-tool.ts';

const USAGE = `usage: npm run soak:simulate -- [--minutes 60] [--nodes 4] [--crypto stand-in] [--seed <n>] [--file docs/soak.jsonl] [--json]

Runs schedules of the swarm on all cores for so long and appends what came of them to docs/soak.jsonl. Begins with the seed after the last one
there, unless told. Ends with the exit code of npm run simulate; an interrupted run is recorded too, and one that failed.`;

const MAIN = join(import.meta.dirname, '../src/simulation/main.ts');

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
  readonly violations: readonly unknown[];
  readonly [figure: string]: unknown;
}

await runSoak(USAGE, main);

async function main(): Promise<number> {
  const values = parseOptions({
    minutes: { type: 'string', default: '60' },
    nodes: { type: 'string', default: '4' },
    crypto: { type: 'string', default: 'stand-in' },
    seed: { type: 'string' },
    file: { type: 'string', default: SOAK_FILE },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const { minutes, nodes, crypto, file, json } = values;
  const seed = values.seed ?? String(nextSeed(file, Number(nodes), crypto));
  const args = ['--minutes', minutes, '--seed', seed, '--nodes', nodes, '--crypto', crypto, '--json'];
  requireSense(args);
  return recordSoak({ soak: 'simulate', file, json }, async () => outcomeOf(await runTool(MAIN, args), Number(nodes), crypto));
}

// Asked before anything is recorded: afterwards, the exit code of options that make no sense is that of a simulator that failed.
function requireSense(args: readonly string[]): void {
  try {
    readOptions(args);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function outcomeOf({ code, how, figures: found }: ToolEnd, nodes: number, crypto: string): SoakOutcome {
  if (found === undefined) {
    const exitCode = code === 0 ? NO_VERDICT : code;
    return { exitCode, figures: { nodes, crypto }, failed: `the simulator ended with ${how} and without figures` };
  }
  const figures = found as unknown as Figures;
  const { seed: firstSeed, schedules, seconds, simulatedSeconds, events, transactions, calls, injected, dishonest, violations } = figures;
  const outcome: SoakOutcome = {
    exitCode: code === 0 && schedules === 0 ? NO_VERDICT : code,
    figures: {
      seconds,
      nodes,
      crypto,
      firstSeed,
      lastSeed: firstSeed + schedules - 1,
      schedules,
      simulatedHours: Number((simulatedSeconds / 3_600).toFixed(3)),
      events,
      transactions,
      calls,
      injected,
      dishonest,
      violations,
    },
  };
  if (code === 0 || violations.length > 0) return outcome;
  return { ...outcome, failed: `the simulator ended with ${how}` };
}

// After the last seed of such nodes that is recorded.
function nextSeed(file: string, nodes: number, crypto: string): number {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const before = lines
    .flatMap((line, index) => (line === '' ? [] : [parseLine(file, index + 1, line)]))
    .filter((line) => line.soak === 'simulate' && line.nodes === nodes && line.crypto === crypto);
  return 1 + before.reduce((last, { lastSeed = 0 }) => Math.max(last, lastSeed), 0);
}

function parseLine(file: string, number: number, line: string): SoakLine {
  try {
    return JSON.parse(line) as SoakLine;
  } catch {
    throw new UsageError(`${file}, line ${number} is no JSON, so the next seed is unknown: mend the line, or say --seed`);
  }
}
