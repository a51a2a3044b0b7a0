// The script that runs the tests: what did not run must show in its summary, or a checkout without the data passes for a complete one.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, matchesGlob } from 'node:path';
import { after, describe, it } from 'node:test';
import { PARTS } from '../../scripts/run-tests.ts';

const root = mkdtempSync(join(tmpdir(), 'coppice-run-tests-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** What the script says of a project whose only test file has this content, and its exit code. */
function runOf(content: string): { readonly status: number | null; readonly stdout: string } {
  for (const name of ['scripts', 'test/conformance']) mkdirSync(join(root, name), { recursive: true });
  for (const script of ['run-tests.ts', 'untracked-promises.ts'])
    copyFileSync(join(import.meta.dirname, '../../scripts', script), join(root, 'scripts', script));
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  writeFileSync(join(root, 'test/conformance/some.test.ts'), `import { describe, it } from 'node:test';\n${content}`);
  // A runner within a test file runs nothing: the child must not know that it is within one.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, ['scripts/run-tests.ts', 'conformance'], {
    cwd: root,
    env,
    encoding: 'utf8',
  });
  return { status, stdout };
}

function summaryOf(content: string): string {
  const { status, stdout } = runOf(content);
  assert.equal(status, 0, stdout);
  return stdout;
}

describe('the summary of the tests', () => {
  it('counts suites that were skipped as a whole, and says of each where it is and why', () => {
    const summary = summaryOf(`
      describe('vectors', { skip: 'no vectors here' }, () => { it('holds', () => {}); });
      describe('others', () => { it('hold', () => {}); describe('inner', { skip: true }, () => { it('holds', () => {}); }); });
      describe('alone', () => { it('waits', { skip: 'later' }, () => {}); });
    `);
    assert.match(summary, /skipped 1$/m);
    assert.match(summary, /skipped suites 2$/m);
    assert.match(summary, /not run: vectors \(test\/conformance\/some\.test\.ts\): no vectors here$/m);
    assert.match(summary, /not run: inner \(test\/conformance\/some\.test\.ts\)$/m);
    assert.doesNotMatch(summary, /not run: (?:others|alone|waits)/);
  });

  it('has none where every suite ran', () => {
    const summary = summaryOf("describe('vectors', () => { it('hold', () => {}); });");
    assert.match(summary, /skipped suites 0$/m);
    assert.doesNotMatch(summary, /not run/);
  });
});

describe('suites within suites', () => {
  it('have their own hooks and tests, run at once or one after the other', () => {
    const { status, stdout } = runOf(`
      import assert from 'node:assert/strict';
      import { after, before } from 'node:test';
      const events = [];
      const suite = (name) => describe(name, () => {
        before(async () => { await null; events.push(name + ' before'); });
        after(() => events.push(name + ' after'));
        it('has had its own hook only', async () => { await null; assert.equal(events.filter((event) => event === name + ' before').length, 1); });
      });
      describe('outer', { concurrency: 2 }, () => {
        before(async () => { await null; events.push('outer before'); });
        suite('first');
        suite('second');
      });
      describe('last', () => { it('comes after all', () => assert.deepEqual([events[0], events.length], ['outer before', 5])); });
    `);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /▶ outer\n {2}▶ first\n {4}✔ has had/);
  });
});

describe('an error that nobody waits for', () => {
  for (const [what, error] of [
    ['thrown beside all tests', "setTimeout(() => { throw new Error('beside'); }, 1)"],
    ['of a promise', "void Promise.reject(new Error('beside'))"],
    ['of a promise, after a turn', "void new Promise((resolve) => setTimeout(resolve, 1)).then(() => { throw new Error('beside'); })"],
  ])
    it(`fails the tests: ${what}`, () => {
      const { status, stdout } = runOf(`it('passes', async () => { ${error}; await new Promise((resolve) => setTimeout(resolve, 50)); });`);
      assert.equal(status, 1, stdout);
      assert.match(stdout, /beside/);
    });
});

describe('the files that start first in their part', () => {
  it('are files of that part', () => {
    const named = Object.values(PARTS).flatMap(({ pattern, first = [] }) => first.map((file) => ({ file, pattern })));
    assert.ok(named.length > 0);
    for (const { file, pattern } of named) {
      assert.ok(existsSync(join(import.meta.dirname, '../..', file)), `${file} is there`);
      assert.ok(matchesGlob(file, pattern), `${file} is in ${pattern}`);
    }
  });
});
