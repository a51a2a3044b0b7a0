// When a validator may begin a signing record, and when its absence means that it was lost.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { emptyRecord, SigningRecord } from '../../src/core/consensus/record.ts';
import { CoppiceError } from '../../src/core/primitives/errors.ts';
import type { LoadedInstance } from '../../src/node/load-instance.ts';
import { openOwnSigningRecord } from '../../src/node/own-signing-record.ts';
import type { FileStore } from '../../src/storage/file-store.ts';
import { createMemoryFileStore } from '../../src/storage/memory-file-store.ts';

const instanceId = new Uint8Array(32).fill(7);
const HEIGHT = 5;

/** What of a loaded chain the record depends on. */
function chainAt(height: number, pendingHeights: readonly number[] = []): LoadedInstance {
  return {
    instance: { chain: 0, epoch: 0, instanceId },
    committed: { facts: { height } },
    engineStart: { committed: height === 0 ? undefined : { point: { height } } },
    pending: pendingHeights.map((each) => ({ header: { height: each } })),
  } as unknown as LoadedInstance;
}

async function contentAfter(files: FileStore, chain: LoadedInstance, isValidator = true): Promise<Uint8Array | undefined> {
  const record = await openOwnSigningRecord(files, chain, isValidator);
  await record.close();
  return record.read();
}

async function refuses(files: FileStore, chain: LoadedInstance, height: number): Promise<void> {
  await assert.rejects(openOwnSigningRecord(files, chain, true), (error) => {
    assert.ok(error instanceof CoppiceError && error.code === 'signing-record/missing', String(error));
    assert.equal((error.facts as { readonly height: number }).height, height);
    return true;
  });
}

describe('the signing record that a node starts with', () => {
  const initial = SigningRecord.serialize(emptyRecord(instanceId));

  it('begins with a new database, so that a late joiner that never voted can restart', async () => {
    const files = createMemoryFileStore();
    assert.deepEqual(await contentAfter(files, chainAt(0)), initial);
    assert.deepEqual(await contentAfter(files, chainAt(HEIGHT)), initial);
  });

  it('is refused beside committed or pending blocks when it is gone, and nothing is made', async () => {
    const files = createMemoryFileStore();
    await refuses(files, chainAt(HEIGHT), HEIGHT);
    await refuses(files, chainAt(0, [1, 2]), 2);
    assert.deepEqual(await files.list('.'), []);
    assert.deepEqual(await contentAfter(files, chainAt(0)), initial, 'no file was left to be found');
  });

  it('is refused too when only the empty file is there', async () => {
    const files = createMemoryFileStore();
    await contentAfter(files, chainAt(0), false);
    await refuses(files, chainAt(HEIGHT), HEIGHT);
  });

  it('begins again when its first write was torn', async () => {
    const files = createMemoryFileStore();
    files.tearNextWrite(20);
    await assert.rejects(openOwnSigningRecord(files, chainAt(0), true), /tear|unavailable/);
    assert.deepEqual(await contentAfter(files, chainAt(0)), initial);
  });

  it('stays empty for an observer, at any height', async () => {
    assert.equal(await contentAfter(createMemoryFileStore(), chainAt(HEIGHT), false), undefined);
  });
});
