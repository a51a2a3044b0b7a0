// What npm run simulate, simulate:mutants, simulate:twins and spec have in common: nothing but a verdict ends them with exit code 0 or 1, and
// what they say of it is clear.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { describe, it } from 'node:test';

const TIMEOUT_MS = 60_000;
const COMMANDS = [
  { name: 'simulate', file: 'src/simulation/main.ts', single: ['--nodes', '4'] },
  { name: 'simulate:mutants', file: 'src/simulation/mutants/main.ts', single: ['--workers', '1'] },
  { name: 'simulate:twins', file: 'src/simulation/twins/main.ts', single: ['--rounds', '1'] },
  { name: 'spec', file: 'scripts/spec.ts', single: ['--samples', '1'] },
] as const;
/** Runs that end with figures, and with nothing wrong. */
const SHORT_RUNS = [
  ['src/simulation/main.ts', '--seed', '7', '--schedules', '1', '--fault-seconds', '0.5', '--json'],
  ['src/simulation/twins/main.ts', '--rounds', '1', '--json'],
] as const;

const runNode = (...args: readonly string[]) => spawnSync(process.execPath, args, { encoding: 'utf8', timeout: TIMEOUT_MS });

for (const { name, file, single } of COMMANDS) {
  describe(`npm run ${name}`, () => {
    it('says its options when it is asked for help', () => {
      const { status, stdout, stderr } = runNode(file, '--help');
      assert.equal(status, 0, stderr);
      assert.match(stdout, new RegExp(`^usage: npm run ${name} -- \\[options\\]\n`));
      assert.equal(stderr, '');
    });

    it('refuses an option that it does not know, and one that is given twice, before anything runs', () => {
      for (const [args, told] of [
        [['--bogus'], "Unknown option '--bogus'"],
        [[...single, ...single], `${single[0]} is given twice: it takes one value, so say it once`],
      ] as const) {
        const { status, stdout, stderr } = runNode(file, ...args);
        assert.equal(status, 2, stderr);
        assert.ok(stderr.startsWith(`${name}: ${told}\n\nusage: npm run ${name} -- [options]\n`), stderr);
        assert.doesNotMatch(stderr, /^ +at /m);
        assert.equal(stdout, '');
      }
    });

    it('has given no verdict when nothing is left to wait for', () => {
      const harm = 'process.stdout.write = () => true'; // Whoever waits for a line to be written waits for ever.
      const { status, stderr } = runNode('--import', `data:text/javascript,${encodeURIComponent(harm)}`, file, '--help');
      assert.equal(status, 2, stderr);
      assert.equal(stderr, `${name}: ended without a verdict\n`);
    });

    it('fails when what it says cannot be written', async () => {
      assert.deepEqual(fullOf(file, '--help'), {
        status: 2,
        stderr: `${name}: the result could not be written: standard output: ENOSPC: no space left on device, write\n`,
      });
      const { status, stderr } = await unread(file, '--help');
      assert.equal(status, 2, stderr);
      assert.equal(stderr, `${name}: the result could not be written: whoever read standard output has gone (EPIPE)\n`);
    });
  });
}

describe('figures that cannot be written', () => {
  for (const [file, ...args] of SHORT_RUNS) {
    it(`fail the run although all was well: ${file} ${args.join(' ')}`, async () => {
      assert.equal(runNode(file, ...args).status, 0);
      for (const { status, stderr } of [fullOf(file, ...args), await unread(file, ...args)]) {
        assert.equal(status, 2, stderr);
        assert.match(stderr, /: the result could not be written: .*\n$/);
        assert.doesNotMatch(stderr, /^ +at /m);
      }
    });
  }
});

// On a disk that is full.
function fullOf(...args: readonly string[]): { readonly status: number | null; readonly stderr: string } {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: TIMEOUT_MS, stdio: ['ignore', full, 'pipe'] });
  closeSync(full);
  return { status, stderr };
}

// Into a pipe whose reader has gone.
function unread(...args: readonly string[]): Promise<{ readonly status: number | null; readonly stderr: string }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stderr }));
  });
}
