// npm run bench: the parts one by one, each in a process of its own so that none warms or burdens another. A part is a file of this
// folder that prints its figures and, with --json, one JSON object as its last line. Says on which machine it ran, writes JSON.
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeHardware } from './devnet/resource-use.ts';

const PARTS = globSync('*.ts', { cwd: import.meta.dirname })
  .map((file) => basename(file, '.ts'))
  .filter((name) => name !== 'main')
  .sort();

const USAGE = `usage: npm run bench -- [--json] [part]...

Times the parts: ${PARTS.join(', ')} (all).
  --json   print the whole result as the last line`;

/** The output of one part but for its last line, and that line's JSON. */
function runPart(name: string): { readonly text: string; readonly result: unknown } {
  const { stdout, status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`), '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = stdout.trimEnd().split('\n');
  const last = lines.pop() ?? '';
  if (status !== 0) throw new Error(`the part ${name} ended with ${status}`);
  return { text: lines.join('\n'), result: JSON.parse(last) };
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  const unknown = positionals.filter((name) => !PARTS.includes(name));
  if (values.help || unknown.length > 0) {
    console.error(unknown.length > 0 ? `unknown part: ${unknown.join(', ')}\n${USAGE}` : USAGE);
    process.exitCode = values.help ? 0 : 1;
    return;
  }
  const hardware = describeHardware();
  console.log(Object.values(hardware).join(', '));
  const parts: Record<string, unknown> = {};
  for (const name of positionals.length > 0 ? positionals : PARTS) {
    const { text, result } = runPart(name);
    console.log(`\n${name}\n${text === '' ? JSON.stringify(result, undefined, 2) : text}`);
    parts[name] = result;
  }
  const whole = { startedAt: new Date().toISOString(), hardware, parts };
  const folder = join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `parts-${whole.startedAt.replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify(whole, undefined, 2)}\n`);
  console.log(`\nwritten to ${file}`);
  if (values.json) console.log(JSON.stringify(whole));
}

main();
