// Explores the formal model in spec/ with Quint: types, hand-written schedules, then random runs of every instance from fixed seeds with a
// fixed budget (spec-explorations.ts). Prints what was explored, and fails where a property is violated that should hold, or none where a
// rule was left out:
//   node scripts/spec.ts [--part consensus|handover] [--samples 100] [--thorough]
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { outputOfQuintWithin } from './quint.ts';
import { type Budget, CI_BUDGET, type Exploration, explorationsOf, PARTS, type Part, VIOLATION } from './spec-explorations.ts';

interface Result {
  readonly exploration: Exploration;
  readonly isAsExpected: boolean;
  readonly seconds: number;
  readonly output: string;
}

async function explore(exploration: Exploration): Promise<Result> {
  const startedAt = performance.now();
  const output = await outputOfQuintWithin(exploration.timeoutMs, exploration.args);
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

/** Explores parts of the model, two processes at a time, and tells a line of each; true if all came out as expected. */
export async function exploreAll(parts: readonly Part[], budget: Budget, tell: (line: string) => void): Promise<boolean> {
  const waiting = parts.flatMap((part) => explorationsOf(part, budget));
  const total = waiting.length;
  let asExpected = 0;
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const result = await explore(next);
      tell(describe(result));
      if (result.isAsExpected) asExpected++;
      else tell(result.output);
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker));
  tell(`${asExpected} of ${total} explorations as expected`);
  return asExpected === total;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      part: { type: 'string' },
      samples: { type: 'string', default: `${CI_BUDGET.samples}` },
      thorough: { type: 'boolean', default: CI_BUDGET.isThorough },
    },
  });
  const parts = PARTS.filter((part) => values.part === undefined || part === values.part);
  if (parts.length === 0) throw new Error(`--part must be ${PARTS.join(' or ')}, not ${values.part}`);
  const samples = Number(values.samples);
  if (!Number.isSafeInteger(samples) || samples < 1) throw new Error(`--samples must be a whole number from 1 on, not ${values.samples}`);
  if (!(await exploreAll(parts, { samples, isThorough: values.thorough }, console.log))) process.exitCode = 1;
}

if (import.meta.main) await main();
