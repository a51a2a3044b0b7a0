import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { makeFolder } from '../../src/storage/make-folder.ts';

describe('making a folder', () => {
  it('makes those above it too, and leaves alone what is there', (test) => {
    const root = mkdtempSync(join(tmpdir(), 'coppice-folder-'));
    test.after(() => rmSync(root, { recursive: true }));
    const folder = join(root, 'one', 'two');
    makeFolder(folder, 0o700);
    makeFolder(folder, 0o700);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
  });

  it('ends where nothing can be made, rather than going round for ever', { skip: process.platform !== 'linux' }, () => {
    // In a process of its own: it could not be stopped here.
    const module = JSON.stringify(resolve('src/storage/make-folder.ts'));
    const code = `import(${module}).then(({ makeFolder }) => makeFolder('/proc/coppice/data', 0o700)).catch(({ code }) => console.log(code))`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { timeout: 20_000, encoding: 'utf8' });
    assert.equal(stdout, 'ENOENT\n');
  });
});
