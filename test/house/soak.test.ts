// The soaks leave an honest record: options that make no sense leave none, and a run that failed leaves its line like any other.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { NO_VERDICT, recordSoak } from '../../scripts/soak-record.ts';
import { runTool } from '../../scripts/soak-tool.ts';

const folder = mkdtempSync(join(tmpdir(), 'coppice-soak-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const scriptAt = (name: string): string => join(import.meta.dirname, '../../scripts', name);

function programAt(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('a soak', () => {
  it('refuses options that make no sense with exit code 2, and records nothing', () => {
    for (const [script, args, words] of [
      ['soak-kill9.ts', ['--rounds', 'abc'], /--rounds must be a whole number from 1 to \d+, got "abc"/],
      ['soak-kill9.ts', ['--rounds', '0'], /--rounds must be a whole number/],
      ['soak-epochs.ts', ['--validators', '3'], /--validators must be a whole number from 4/],
      ['soak-kill9.ts', ['--round', '3'], /Unknown option '--round'/],
      ['soak-fuzz.ts', ['--minutes', 'abc'], /--minutes must be a number above 0 and up to \d+, got "abc"/],
      ['soak-fuzz.ts', ['--seed', '1.5'], /--seed must be a whole number/],
      ['soak-simulate.ts', ['--nodes', 'abc'], /--nodes must be a whole number/],
      ['soak-simulate.ts', ['--hours', '1'], /Unknown option '--hours'/],
    ] as const) {
      const file = join(folder, 'refused.jsonl');
      const { status, stderr } = spawnSync(process.execPath, [scriptAt(script), '--file', file, ...args], {
        encoding: 'utf8',
        timeout: 30_000,
      });
      assert.equal(status, 2, stderr);
      assert.match(stderr, words);
      assert.match(stderr, /usage: npm run soak:/);
      assert.doesNotMatch(stderr, /^ {4}at /m);
      assert.equal(existsSync(file), false);
    }
  });

  it('does not guess the next seed where the record cannot be read', () => {
    const file = programAt('damaged.jsonl', '{"soak":"simulate"}\n{"soak":\n');
    const { status, stderr } = spawnSync(process.execPath, [scriptAt('soak-simulate.ts'), '--file', file], { encoding: 'utf8' });
    assert.equal(status, 2, stderr);
    assert.match(stderr, /damaged\.jsonl, line 2 is no JSON/);
  });
});

describe('the record of a soak', () => {
  const lines = (file: string): readonly Readonly<Record<string, unknown>>[] =>
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));

  it('has a line of every run: one that held, one that did not, one that threw', async () => {
    const file = join(folder, 'record.jsonl');
    const record = { soak: 'test', file, json: false };
    assert.equal(await recordSoak(record, async () => ({ exitCode: 0, figures: { rounds: 3, lost: 0 } })), 0);
    const broken = { exitCode: 1, figures: { rounds: 2, lost: 4 }, failed: 'block 7 is missing' };
    assert.equal(await recordSoak(record, async () => broken), 1);
    assert.equal(await recordSoak(record, () => Promise.reject(new Error('no disk'))), NO_VERDICT);
    const [held, failed, threw] = lines(file);
    assert.deepEqual([held?.['soak'], held?.['rounds'], held?.['lost'], held?.['failed']], ['test', 3, 0, undefined]);
    assert.match(String(held?.['commit']), /^[0-9a-f]{40}$/);
    assert.deepEqual([failed?.['rounds'], failed?.['lost'], failed?.['failed']], [2, 4, 'block 7 is missing']);
    assert.deepEqual([threw?.['lost'], threw?.['failed']], [undefined, 'no disk']);
  });
});

describe('the program that a soak runs', () => {
  it('gives the figures of its last line and its exit code', async () => {
    const file = programAt('figures.mjs', `console.log('on the way'); console.log('{"seed":7}'); process.exitCode = 1;`);
    assert.deepEqual(await runTool(file, []), { code: 1, how: 'exit code 1', figures: { seed: 7 } });
  });

  it('has no figures where it was killed, and no verdict', async () => {
    const file = programAt('killed.mjs', `console.log('{"seed"'); process.kill(process.pid, 'SIGKILL'); setTimeout(() => {}, 10_000);`);
    assert.deepEqual(await runTool(file, []), { code: NO_VERDICT, how: 'SIGKILL', figures: undefined });
  });
});
