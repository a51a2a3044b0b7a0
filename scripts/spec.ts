// Explores the formal model in spec/ with Quint: types, hand-written schedules, then random runs of every instance from fixed seeds with a
// fixed budget (spec-explorations.ts). Prints what was explored, and fails where a property is violated that should hold, or none where a
// rule was left out: npm run spec -- --help has the options.
import { readArguments, UsageError } from '../src/simulation/command-arguments.ts';
import { printLine } from '../src/simulation/result-output.ts';
import { runCommand } from '../src/simulation/run-command.ts';
import { Quint } from './quint.ts';
import { type Budget, CI_BUDGET, type Exploration, explorationsOf, PARTS, type Part, VIOLATION } from './spec-explorations.ts';

const SAMPLES_MAX = 1_000_000;

const USAGE = `usage: npm run spec -- [options]

Explores the formal model in spec/ with Quint: types, schedules by hand, random runs of every instance from fixed seeds.
  --part ${PARTS.join('|')}   one part of the model; all of them without it
  --samples ${CI_BUDGET.samples}   random runs of each instance in which everything must hold
  --thorough   also what takes long to turn up by chance

Exit code 0 means that everything came out as expected, 1 that something did not; anything else is no verdict.`;

interface Result {
  readonly exploration: Exploration;
  readonly isAsExpected: boolean;
  readonly seconds: number;
  readonly output: string;
}

async function explore(quint: Quint, exploration: Exploration): Promise<Result> {
  const startedAt = performance.now();
  const output = await quint.output(exploration.args, exploration.timeoutMs);
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
  return `${isAsExpected ? 'ok  ' : 'FAIL'} ${exploration.name.padEnd(34)} ${seconds.toFixed(1).padStart(6)} s  ${line}`;
}

/** Explores a part of the model in a process of its own, and tells a line of each exploration; true if all came out as expected. */
export async function explorePart(part: Part, budget: Budget, tell: (line: string) => unknown): Promise<boolean> {
  const explorations = explorationsOf(part, budget);
  const quint = new Quint();
  let asExpected = 0;
  for (const exploration of explorations) {
    const result = await explore(quint, exploration);
    await tell(`${part.padEnd(10)} ${describe(result)}`);
    if (result.isAsExpected) asExpected++;
    else await tell(result.output);
  }
  quint.close();
  await tell(`${part.padEnd(10)} ${asExpected} of ${explorations.length} explorations as expected`);
  return asExpected === explorations.length;
}

async function main(): Promise<number> {
  const { part, samples, thorough, help } = readArguments(process.argv.slice(2), {
    part: { type: 'string', default: '' },
    samples: { type: 'string', default: `${CI_BUDGET.samples}` },
    thorough: { type: 'boolean', default: CI_BUDGET.isThorough },
    help: { type: 'boolean', default: false },
  });
  if (help) {
    await printLine(USAGE);
    return 0;
  }
  const parts = PARTS.filter((each) => part === '' || part === each);
  if (parts.length === 0) throw new UsageError(`--part must be ${PARTS.join(' or ')}, got "${part}"`);
  const count = Number(samples);
  if (!/^\d+$/.test(samples) || count < 1 || count > SAMPLES_MAX)
    throw new UsageError(`--samples must be a whole number from 1 to ${SAMPLES_MAX}, got "${samples}"`);
  const asExpected = await Promise.all(parts.map((each) => explorePart(each, { samples: count, isThorough: thorough }, printLine)));
  return asExpected.every(Boolean) ? 0 : 1;
}

if (import.meta.main) runCommand({ name: 'spec', usage: USAGE, run: main });
