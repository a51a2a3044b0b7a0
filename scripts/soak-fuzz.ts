// All targets of fuzzing for a long time. Appends one line of what was tried to docs/soak.jsonl.
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeHardware } from '../bench/devnet/resource-use.ts';
import { runLong } from '../test/fuzz/long-run.ts';
import { TARGETS } from '../test/fuzz/registry.ts';

const USAGE = `usage: npm run soak:fuzz -- [--minutes 60] [--seed <n>] [--json]

Fuzzes every decoder in turns for so long in all, with another seed each time. Ends with exit code 1 when a property did not hold; appends its
result to docs/soak.jsonl either way.`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
if (values.help) console.log(USAGE);
else if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error(USAGE);
  process.exitCode = 2;
} else await soak();

async function soak(): Promise<void> {
  const startedAt = new Date();
  const { failures, ...figures } = await runLong({ targets: TARGETS, minutes, seed, tell: (line) => process.stderr.write(`${line}\n`) });
  const seconds = Math.round((Date.now() - startedAt.getTime()) / 1_000);
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  const hardware = describeHardware();
  const line = JSON.stringify({
    soak: 'fuzz',
    commit,
    at: startedAt.toISOString(),
    seconds,
    hardware,
    ...figures,
    failures: failures.length,
  });
  appendFileSync(join(import.meta.dirname, '../docs/soak.jsonl'), `${line}\n`);
  if (values.json) console.log(line);
  if (failures.length > 0) process.exitCode = 1;
}
