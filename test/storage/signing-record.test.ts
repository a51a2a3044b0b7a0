import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isError } from '../../src/core/primitives/errors.ts';
import { createMemoryFileStore } from '../../src/storage/memory-file-store.ts';
import { openSigningRecord, SIGNING_RECORD_BYTES_MAX } from '../../src/storage/signing-record.ts';

const PATH = 'signing/1-aa';
const content = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('the signing record', () => {
  it('is nothing at first, and then what was written last, also after opening it again', async () => {
    const files = createMemoryFileStore();
    const record = await openSigningRecord(files, PATH);
    assert.equal(record.read(), undefined);
    for (const text of ['one', 'two', 'three']) {
      await record.write(content(text));
      assert.deepEqual(record.read(), content(text));
      assert.deepEqual((await openSigningRecord(files, PATH)).read(), content(text));
    }
  });

  it('keeps the record before when a write tears at any byte, and never signs on after that', async () => {
    const next = content('the next record');
    for (let torn = 0; torn < 48 + next.length; torn++) {
      const files = createMemoryFileStore();
      const record = await openSigningRecord(files, PATH);
      await record.write(content('first'));
      await record.write(content('second'));
      files.tearNextWrite(torn);
      await assert.rejects(record.write(next));
      assert.deepEqual(record.read(), content('second'));
      assert.deepEqual((await openSigningRecord(files, PATH)).read(), content('second'), `torn after ${torn} bytes`);
      await assert.rejects(record.write(next), 'the state of the medium is unknown');
    }
  });

  it('is nothing when the first write of all tears', async () => {
    const files = createMemoryFileStore();
    const record = await openSigningRecord(files, PATH);
    files.tearNextWrite(20);
    await assert.rejects(record.write(content('first')));
    assert.equal((await openSigningRecord(files, PATH)).read(), undefined);
  });

  it('refuses to open when no slot is whole: signing on could contradict what was signed', async () => {
    const files = createMemoryFileStore();
    const record = await openSigningRecord(files, PATH);
    await record.write(content('first'));
    // Two copies in each of two slots.
    for (const offset of [50, 4096 + 50, 64 * 1024 + 20, 64 * 1024 + 4096 + 20]) files.flipBit(PATH, 8 * offset);
    await assert.rejects(openSigningRecord(files, PATH), (error) => isError(error, 'storage/corrupt'));
  });

  it('is still the newest when any one of its bits has rotted: never the one before, which has forgotten what was signed last', async () => {
    for (const newest of ['an odd record', 'and an even one']) {
      const files = createMemoryFileStore();
      const record = await openSigningRecord(files, PATH);
      for (const text of ['first', 'second', 'third', ...(newest.startsWith('an odd') ? [] : ['fourth'])])
        await record.write(content(text));
      await record.write(content(newest));
      for (let byte = 0; byte < 2 * 64 * 1024; byte += byte % 4096 < 80 ? 1 : 1_000) {
        const bit = 8 * byte + (byte % 8);
        files.flipBit(PATH, bit);
        assert.deepEqual((await openSigningRecord(files, PATH)).read(), content(newest), `bit ${bit}`);
        files.flipBit(PATH, bit);
      }
    }
  });

  it('reads the files of earlier versions, which held one copy', async () => {
    const files = createMemoryFileStore();
    const record = await openSigningRecord(files, PATH);
    await record.write(content('first'));
    const second = 8 * (4096 + 10);
    files.flipBit(PATH, second);
    files.flipBit(PATH, second + 8 * 64 * 1024);
    assert.deepEqual((await openSigningRecord(files, PATH)).read(), content('first'));
  });

  it('carries out writes in the order of the calls', async () => {
    const files = createMemoryFileStore();
    const record = await openSigningRecord(files, PATH);
    const writes = ['a', 'b', 'c', 'd'].map((text) => record.write(content(text)));
    await Promise.all(writes);
    assert.deepEqual((await openSigningRecord(files, PATH)).read(), content('d'));
  });

  it('takes the largest record, and none that is larger', async () => {
    const files = createMemoryFileStore();
    const record = await openSigningRecord(files, PATH);
    await record.write(new Uint8Array(SIGNING_RECORD_BYTES_MAX).fill(3));
    assert.equal((await openSigningRecord(files, PATH)).read()?.length, SIGNING_RECORD_BYTES_MAX);
    assert.throws(() => record.write(new Uint8Array(SIGNING_RECORD_BYTES_MAX + 1)), /invariant/);
  });

  it('is of one file for each path', async () => {
    const files = createMemoryFileStore();
    await (await openSigningRecord(files, PATH)).write(content('one'));
    assert.equal((await openSigningRecord(files, 'signing/1-bb')).read(), undefined);
    assert.deepEqual(await files.list('signing'), ['1-aa', '1-bb']);
  });
});
