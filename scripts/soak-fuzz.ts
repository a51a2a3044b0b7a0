// All targets of fuzzing for a long time. Appends one line of what was tried to docs/soak.jsonl.
import { join } from 'node:path';
import { minutesOf, NO_VERDICT, parseOptions, recordSoak, runSoak, SOAK_FILE, type SoakOutcome, wholeNumber } from './soak-record.ts';
import { runTool, type ToolEnd } from './soak-tool.ts';

const USAGE = `usage: npm run soak:fuzz -- [--minutes 60] [--seed <n>] [--file docs/soak.jsonl] [--json]

Fuzzes every decoder in turns for so long in all, with another seed each time. Ends with the exit code of npm run fuzz; appends its result to
docs/soak.jsonl also when a property did not hold, or when an input ended the fuzzer.`;

const FUZZ = join(import.meta.dirname, 'fuzz.ts');
const SEED_MAX = 999_999_999;
const MINUTES_MAX = 24 * 60;

await runSoak(USAGE, main);

async function main(): Promise<number> {
  const values = parseOptions({
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    file: { type: 'string', default: SOAK_FILE },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const minutes = minutesOf(values.minutes, MINUTES_MAX);
  const seed = wholeNumber('seed', values.seed, 0, SEED_MAX);
  const args = ['--minutes', String(minutes), '--seed', String(seed), '--json'];
  return recordSoak({ soak: 'fuzz', file: values.file, json: values.json }, async () => outcomeOf(await runTool(FUZZ, args), seed));
}

function outcomeOf({ code, how, figures }: ToolEnd, seed: number): SoakOutcome {
  if (figures === undefined) {
    // An input that takes for ever or all memory ends the whole process, by a signal: that is a fault found.
    const exitCode = code === 0 ? NO_VERDICT : code;
    return { exitCode, figures: { seed }, failed: `the fuzzer ended with ${how} and without figures; what it wrote before says why` };
  }
  const failures = figures['failures'] as readonly string[];
  const outcome = { exitCode: code, figures: { ...figures, failures: failures.length } };
  return failures.length === 0 && code === 0 ? outcome : { ...outcome, failed: failures.join('; ') || `the fuzzer ended with ${how}` };
}
