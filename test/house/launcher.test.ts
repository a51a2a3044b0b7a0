// The launcher is what every user starts: it must pass arguments, exit code and signals through, and say clearly what is missing.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';

const PROJECT = join(import.meta.dirname, '..', '..');

const folders: string[] = [];

/** A package of the launcher and one other file; gives the launcher's path. */
function packageWith(file: string, text: string): string {
  const root = mkdtempSync(join(tmpdir(), 'coppice-launcher-'));
  folders.push(root);
  mkdirSync(join(root, 'scripts'));
  copyFileSync(join(PROJECT, 'scripts/coppice.mjs'), join(root, 'scripts/coppice.mjs'));
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
  return join(root, 'scripts/coppice.mjs');
}

describe('the launcher', () => {
  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  it('runs the source of a checkout, with its arguments and exit code', () => {
    const launcher = packageWith(
      'src/cli/main.ts',
      'const args: string[] = process.argv.slice(2);\nconsole.log(args.join());\nprocess.exit(7);\n',
    );
    const { status, stdout } = spawnSync(process.execPath, [launcher, 'node', '--x', 'a b'], { encoding: 'utf8' });
    assert.deepEqual([status, stdout], [7, 'node,--x,a b\n']);
  });

  it('runs the compiled file of a published package', () => {
    const launcher = packageWith('dist/cli/main.js', 'console.log("compiled");\n');
    const { status, stdout } = spawnSync(process.execPath, [launcher], { encoding: 'utf8' });
    assert.deepEqual([status, stdout], [0, 'compiled\n']);
  });

  it('passes signals on and waits for the end', async () => {
    const text =
      "process.on('SIGTERM', () => setTimeout(() => process.exit(3), 50));\nconsole.log('up');\nsetInterval(() => undefined, 1_000);\n";
    const child = spawn(process.execPath, [packageWith('src/cli/main.ts', text)], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(code, 3);
  });

  it('leaves nothing behind when it is killed', async () => {
    const text = "process.on('disconnect', () => process.exit(0));\nconsole.log('up');\nsetInterval(() => undefined, 1_000);\n";
    const child = spawn(process.execPath, [packageWith('src/cli/main.ts', text)], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child.stdout, 'close'); // The pipe closes when the last process that holds it is gone.
  });

  it('says in one line that the installation is incomplete', () => {
    const { status, stderr } = spawnSync(process.execPath, [packageWith('README.md', '')], { encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, /^coppice: neither .* the installation is incomplete\.\n$/);
  });
});
