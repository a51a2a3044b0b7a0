// The kill -9 test for many rounds. Appends one line of what was checked, and of what was lost, to docs/soak.jsonl.
import { runKillRounds } from '../test/system/kill9-scenario.ts';
import { parseOptions, recordSoak, runSoak, SOAK_FILE, wholeNumber } from './soak-record.ts';

const USAGE = `usage: npm run soak:kill9 -- [--rounds 20] [--file docs/soak.jsonl] [--json]

Kills one validator of four, then all four, with kill -9 under load, again and again, and checks that nothing final is lost.
Ends with exit code 1 at the first broken promise; appends what was done, compared and lost to docs/soak.jsonl either way.`;

const ROUNDS_MAX = 100_000;

await runSoak(USAGE, main);

async function main(): Promise<number> {
  const values = parseOptions({
    rounds: { type: 'string', default: '20' },
    file: { type: 'string', default: SOAK_FILE },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const rounds = wholeNumber('rounds', values.rounds, 1, ROUNDS_MAX);
  return recordSoak({ soak: 'kill9', file: values.file, json: values.json }, async () => {
    const { failed, ...figures } = await runKillRounds(rounds, (line) => process.stderr.write(`${line}\n`));
    if (failed === undefined) return { exitCode: 0, figures };
    return { exitCode: 1, figures: { roundsAsked: rounds, ...figures }, failed };
  });
}
