// The database on disk: the port's contract, and what it refuses without changing anything.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ClassicLevel } from 'classic-level';
import { type ErrorCode, isError } from '../../src/core/primitives/errors.ts';
import { openLevelStore } from '../../src/storage/level-store.ts';
import { describeKeyValueStore } from '../storage/key-value-store-contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'coppice-level-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let opened = 0;
const newPath = (): string => join(folder, String(opened++));
const NETWORK = new Uint8Array(32).fill(1);
const KEY = Uint8Array.of(0x40, 1);
const VIEW = { keyEncoding: 'view', valueEncoding: 'view' } as const;

describeKeyValueStore('the database on disk', () => openLevelStore(newPath(), NETWORK));

async function withRow(): Promise<string> {
  const path = newPath();
  const store = await openLevelStore(path, NETWORK);
  await store.write([{ type: 'put', key: KEY, value: new Uint8Array(100).fill(7) }], { sync: true });
  await store.close();
  return path;
}

async function refuses(path: string, code: ErrorCode, network = NETWORK): Promise<void> {
  await assert.rejects(openLevelStore(path, network), (error) => isError(error, code), code);
}

describe('the database on disk, opened again', () => {
  it('has what was written', async () => {
    const path = await withRow();
    const store = await openLevelStore(path, NETWORK);
    assert.equal(store.get(KEY)?.length, 100);
    await store.close();
  });

  it('is refused while somebody has it open, and opens when they have let it go', async () => {
    const path = newPath();
    const store = await openLevelStore(path, NETWORK);
    await refuses(path, 'storage/locked');
    await store.close();
    await (await openLevelStore(path, NETWORK)).close();
  });

  it('is refused for another network, and stays as it is for its own', async () => {
    const path = await withRow();
    await refuses(path, 'storage/foreign', new Uint8Array(32).fill(2));
    const store = await openLevelStore(path, NETWORK);
    assert.equal(store.get(KEY)?.length, 100);
    await store.close();
  });

  it("is refused when it is another program's database, which stays as it is", async () => {
    const path = newPath();
    const foreign = new ClassicLevel(path);
    await foreign.put('a', 'b');
    await foreign.close();
    await refuses(path, 'storage/foreign');
    const again = new ClassicLevel(path);
    assert.equal(await again.get('a'), 'b');
    await again.close();
  });

  it('is refused when the folder is not a database, and nothing is written into it', async () => {
    const path = newPath();
    mkdirSync(path);
    writeFileSync(join(path, 'notes.txt'), 'mine');
    await refuses(path, 'storage/foreign');
    assert.deepEqual(readdirSync(path), ['notes.txt']);
  });

  it('is refused when its CURRENT file is gone, instead of beginning anew over what is there', async () => {
    const path = await withRow();
    unlinkSync(join(path, 'CURRENT'));
    const before = readdirSync(path).sort();
    await refuses(path, 'storage/foreign');
    assert.deepEqual(readdirSync(path).sort(), before);
  });

  it('is refused when its files are damaged', async () => {
    const path = await withRow();
    writeFileSync(join(path, 'CURRENT'), 'nonsense');
    await refuses(path, 'storage/corrupt');
  });

  it('says so when a bit of a value is not what was written, by get and by iteration', async () => {
    const path = await withRow();
    const raw = new ClassicLevel<Uint8Array, Uint8Array>(path, VIEW);
    const stored = (await raw.get(KEY)) as Uint8Array;
    stored[50] = (stored[50] as number) ^ 4;
    await raw.put(KEY, stored);
    await raw.close();
    const store = await openLevelStore(path, NETWORK);
    assert.throws(
      () => store.get(KEY),
      (error) => isError(error, 'storage/corrupt') && error.facts.key === '4001',
    );
    await assert.rejects(
      async () => {
        for await (const row of store.iterate({ gte: KEY, lt: Uint8Array.of(0x41), limit: 5 })) assert.fail(String(row.key));
      },
      (error) => isError(error, 'storage/corrupt'),
    );
    await store.close();
  });

  it('loses, when the end of its log is cut off, whole batches and never part of one', async () => {
    const path = newPath();
    const store = await openLevelStore(path, NETWORK);
    const batch = (first: number): { type: 'put'; key: Uint8Array; value: Uint8Array }[] =>
      [0, 1, 2].map((place) => ({ type: 'put', key: Uint8Array.of(0x40, first, place), value: new Uint8Array(50).fill(first) }));
    for (const first of [1, 2, 3]) await store.write(batch(first), { sync: true });
    await store.close();
    const log = join(path, readdirSync(path).find((name) => name.endsWith('.log')) as string);
    writeFileSync(log, readFileSync(log).subarray(0, -40));
    const found = await openLevelStore(path, NETWORK);
    const present = [1, 2, 3].map(
      (first) => [0, 1, 2].filter((place) => found.get(Uint8Array.of(0x40, first, place)) !== undefined).length,
    );
    assert.deepEqual(present, [3, 3, 0]);
    await found.close();
  });
});
