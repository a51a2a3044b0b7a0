// Files and the lock of a data directory, on a real disk and with real processes.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { isError } from '../../src/core/primitives/errors.ts';
import { dataDirectoryAt, lockDataDirectory } from '../../src/storage/data-directory.ts';
import { createNodeFileStore } from '../../src/storage/node-file-store.ts';
import { openSigningRecord } from '../../src/storage/signing-record.ts';

const folder = mkdtempSync(join(tmpdir(), 'coppice-files-'));
const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

let made = 0;
const newPath = (): string => join(folder, String(made++));

describe('files on disk', () => {
  it('are replaced as a whole, for the owner alone, with nothing left beside them', async () => {
    const root = newPath();
    const files = createNodeFileStore(root);
    assert.equal(await files.read('keys/seed'), undefined);
    await files.replaceSynced('keys/seed', Uint8Array.of(1));
    await files.replaceSynced('keys/seed', Uint8Array.of(2, 3));
    assert.deepEqual([...((await files.read('keys/seed')) ?? [])], [2, 3]);
    assert.deepEqual(await files.list('keys'), ['seed']);
    assert.equal(statSync(join(root, 'keys/seed')).mode & 0o777, 0o600);
    assert.equal(statSync(join(root, 'keys')).mode & 0o777, 0o700);
    await files.remove('keys/seed');
    assert.deepEqual(await files.list('keys'), []);
    assert.deepEqual(await files.list('nothing'), []);
  });

  it('outside the root cannot be named', () => {
    const files = createNodeFileStore(newPath());
    assert.throws(() => files.read('../outside'), /invariant/);
  });

  it('report what the operating system refused', async () => {
    const root = newPath();
    writeFileSync(root, 'a file where a folder is needed');
    await assert.rejects(createNodeFileStore(root).replaceSynced('a/b', Uint8Array.of(1)), (error) =>
      isError(error, 'storage/unavailable'),
    );
  });

  it('keep a signing record over closing and opening, for the owner alone, and refuse one of another size', async () => {
    const root = newPath();
    const files = createNodeFileStore(root);
    const record = await openSigningRecord(files, 'signing/1-aa');
    await record.write(Uint8Array.of(1));
    await record.write(Uint8Array.of(2));
    await record.close();
    const again = await openSigningRecord(files, 'signing/1-aa');
    assert.deepEqual([...(again.read() ?? [])], [2]);
    await again.close();
    assert.equal(statSync(join(root, 'signing/1-aa')).mode & 0o777, 0o600);
    writeFileSync(join(root, 'signing/1-aa'), 'short');
    await assert.rejects(openSigningRecord(files, 'signing/1-aa'), (error) => isError(error, 'storage/corrupt'));
  });
});

describe('the lock of a data directory', () => {
  it('lets one holder in at a time, in one process', () => {
    const path = newPath();
    const directory = lockDataDirectory(dataDirectoryAt(path));
    assert.throws(
      () => lockDataDirectory(dataDirectoryAt(path)),
      (error) => isError(error, 'storage/locked') && error.facts.holder === `process ${process.pid}`,
    );
    directory.release();
    lockDataDirectory(dataDirectoryAt(path)).release();
    assert.deepEqual(readdirSync(path).sort(), ['LOCK', 'LOCK.holder', 'db', 'era', 'keys', 'log', 'signing']);
  });

  it('keeps other processes out, and is free at once after kill -9', async () => {
    const path = newPath();
    const holder = await startHolder(path);
    assert.throws(
      () => lockDataDirectory(dataDirectoryAt(path)),
      (error) => isError(error, 'storage/locked') && error.facts.holder === `process ${holder.pid}`,
    );
    const ended = new Promise((resolve) => holder.once('exit', resolve));
    holder.kill('SIGKILL');
    await ended;
    lockDataDirectory(dataDirectoryAt(path)).release();
  });
});

async function startHolder(path: string): Promise<ChildProcess> {
  const module = new URL('../../src/storage/data-directory.ts', import.meta.url).href;
  const program = `const { dataDirectoryAt, lockDataDirectory } = await import(${JSON.stringify(module)}); lockDataDirectory(dataDirectoryAt(${JSON.stringify(path)})); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the holder ended with ${code}`)));
    child.stdout?.once('data', () => resolve());
  });
  return child;
}
