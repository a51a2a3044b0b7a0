// npm run fuzz: decoders with inputs that nobody would write, for as long as one likes. Exit code 0 means that every property held, 1 that one
// did not (its input is in the corpus then), 2 that the options make no sense or the fuzzer itself failed.
import { parseArgs } from 'node:util';
import { runLong } from '../test/fuzz/long-run.ts';
import { TARGETS } from '../test/fuzz/registry.ts';

const USAGE = `usage: npm run fuzz -- [options]

  --target <name>   one of the targets; may be given several times; without it, all
  --minutes 1       for how long in all
  --seed <n>        of the random choices; without it, another one each time
  --list            print the names of the targets
  --json            print all figures as one JSON object in the last line

What is news is added to test/fuzz/corpus, up to a bound; what finds a fault is always.`;

class UsageError extends Error {}

const MINUTES_MAX = 24 * 60;

try {
  await main();
} catch (error) {
  console.error(`fuzz: ${error instanceof UsageError ? `${error.message}\n\n${USAGE}` : (error as Error).stack}`);
  process.exitCode = 2;
}

async function main(): Promise<void> {
  const { target, minutes, seed, list, json, help } = readArguments();
  if (help) return console.log(USAGE);
  if (list) return console.log(TARGETS.map(({ name }) => name).join('\n'));
  const unknown = target.filter((name) => !TARGETS.some((one) => one.name === name));
  if (unknown.length > 0) throw new UsageError(`no target named ${unknown.join(', ')}: --list prints them`);
  const targets = target.length === 0 ? TARGETS : TARGETS.filter(({ name }) => target.includes(name));
  console.log(`seed ${seed}, ${targets.length} targets, ${minutes} minutes`);
  const report = await runLong({ targets, minutes, seed, tell: (line) => console.log(line) });
  const { executions, failures, coveredBlocks, addedToCorpus } = report;
  console.log(
    `${executions} inputs, ${coveredBlocks} blocks of code, ${addedToCorpus} inputs added to the corpus, ${failures.length} failures`,
  );
  if (json) console.log(JSON.stringify(report));
  process.exitCode = failures.length > 0 ? 1 : 0;
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        target: { type: 'string', multiple: true, default: [] },
        minutes: { type: 'string', default: '1' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        list: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const minutes = Number(values.minutes);
    if (!(minutes > 0) || minutes > MINUTES_MAX)
      throw new UsageError(`--minutes ${values.minutes}: a number above 0 and up to ${MINUTES_MAX}`);
    if (!/^\d{1,9}$/.test(values.seed)) throw new UsageError(`--seed ${values.seed}: a whole number of up to nine digits`);
    return { ...values, minutes, seed: Number(values.seed) };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}
