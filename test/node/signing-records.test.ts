// When a validator may begin a signing record, and when its absence means that it was lost.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { emptyRecord, SigningRecord } from '../../src/core/consensus/record.ts';
import { CoppiceError } from '../../src/core/primitives/errors.ts';
import type { Instance } from '../../src/core/protocol/committee.ts';
import { decodeEndedInstances } from '../../src/node/ended-instances.ts';
import type { LoadedInstance } from '../../src/node/load-instance.ts';
import { type OpenRecord, SigningRecords } from '../../src/node/signing-records.ts';
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

async function openRecord(files: FileStore, chain: LoadedInstance, isValidator: boolean): Promise<OpenRecord> {
  return (await SigningRecords.open(files, isValidator)).openFor(chain);
}

async function contentAfter(files: FileStore, chain: LoadedInstance, isValidator = true): Promise<Uint8Array | undefined> {
  const { signingRecord } = await openRecord(files, chain, isValidator);
  await signingRecord.close();
  return signingRecord.read();
}

async function refuses(files: FileStore, chain: LoadedInstance, height: number): Promise<void> {
  await assert.rejects(openRecord(files, chain, true), (error) => {
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
    await assert.rejects(openRecord(files, chainAt(0), true), /tear|unavailable/);
    assert.deepEqual(await contentAfter(files, chainAt(0)), initial);
  });

  it('stays empty for an observer, at any height', async () => {
    assert.equal(await contentAfter(createMemoryFileStore(), chainAt(HEIGHT), false), undefined);
  });
});

describe('the signing record of an instance that the beacon has forgotten', () => {
  const instanceAt = (chain: number, epoch: number): Instance =>
    ({ chain, epoch, instanceId: new Uint8Array(32).fill(epoch) }) as unknown as Instance;
  const started = (instance: Instance): LoadedInstance => ({ ...chainAt(0), instance });

  async function withRecords(files: FileStore, instances: readonly Instance[]): Promise<SigningRecords> {
    const records = await SigningRecords.open(files, true);
    for (const instance of instances) await (await records.openFor(started(instance))).signingRecord.close();
    return records;
  }

  it('is given up, but for those that run, and nothing else is', async () => {
    const files = createMemoryFileStore();
    await files.replaceSynced('owner', Uint8Array.of(1));
    const instances = [instanceAt(0, 1), instanceAt(0, 2), instanceAt(0, 3), instanceAt(2, 1), instanceAt(3, 2)];
    const records = await withRecords(files, instances);
    await records.forgetBefore(3, [instanceAt(3, 2)]);
    assert.deepEqual(await files.list('.'), [
      'chain-0-epoch-3-0303030303030303.record',
      'chain-3-epoch-2-0202020202020202.record',
      'ended',
      'owner',
    ]);
  });

  it('is never begun again: who comes back to the instance with an empty database only follows it', async () => {
    const files = createMemoryFileStore();
    const records = await withRecords(files, [instanceAt(2, 1), instanceAt(2, 2), instanceAt(2, 4)]);
    await records.forgetBefore(3, []);
    const later = await SigningRecords.open(files, true);
    for (const [epoch, maySign] of [
      [0, false],
      [1, false],
      [2, false],
      [3, true],
      [4, true],
    ] as const)
      assert.equal((await later.openFor(started(instanceAt(2, epoch)))).maySign, maySign, `epoch ${epoch}`);
    assert.equal((await later.openFor(started(instanceAt(3, 0)))).maySign, true, 'of another chain');
  });

  it('is not missed by a node with an old copy of its database', async () => {
    const files = createMemoryFileStore();
    const records = await withRecords(files, [instanceAt(2, 1)]);
    await records.forgetBefore(9, []);
    const { maySign } = await (await SigningRecords.open(files, true)).openFor({ ...chainAt(HEIGHT), instance: instanceAt(2, 1) });
    assert.equal(maySign, false);
  });

  it('stays given up through any order of calls, and its list is refused with any byte changed', async () => {
    const files = createMemoryFileStore();
    const records = await withRecords(files, [instanceAt(0, 1), instanceAt(0, 5), instanceAt(7, 3)]);
    await Promise.all([records.forgetBefore(2, []), records.forgetBefore(4, []), records.forgetBefore(6, [])]);
    const list = (await files.read('ended')) as Uint8Array;
    assert.deepEqual(
      [...decodeEndedInstances(list, 'ended')],
      [
        [0, 5],
        [7, 3],
      ],
    );
    for (const [at] of list.entries()) {
      const damaged = list.with(at, (list[at] as number) ^ 1);
      assert.throws(() => decodeEndedInstances(damaged, 'ended'), /storage\/corrupt|corrupt/);
    }
    assert.throws(() => decodeEndedInstances(list.subarray(0, -1), 'ended'));
    assert.throws(() => decodeEndedInstances(new Uint8Array(), 'ended'));
  });
});
