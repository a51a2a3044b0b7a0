// Whose signing folder it is: it belongs to the first validator that began it, and to no other.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { claimSigningFolder } from '../../src/node/signing-owner.ts';
import { createMemoryFileStore } from '../../src/storage/memory-file-store.ts';

const FOLDER = '/d/signing';
const OWN = new Uint8Array(48).fill(1);
const OTHER = new Uint8Array(48).fill(2);

describe('a signing folder', () => {
  it('becomes that of the first key, stays it, and is refused to another', async () => {
    const files = createMemoryFileStore();
    await claimSigningFolder(files, FOLDER, OWN);
    const mark = await files.read('owner');
    assert.equal(new TextDecoder().decode(mark), `${'01'.repeat(48)}\n`);
    await claimSigningFolder(files, FOLDER, OWN);
    await assert.rejects(claimSigningFolder(files, FOLDER, OTHER), {
      code: 'signing-record/foreign',
      facts: { path: FOLDER, expected: '02'.repeat(48), found: '01'.repeat(48) },
    });
    assert.deepEqual(await files.read('owner'), mark);
  });

  it('is refused when its mark cannot be read, and the mark is left as it is', async () => {
    for (const text of ['', '01', `${'01'.repeat(48)}`, `two\nlines\n`]) {
      const files = createMemoryFileStore();
      await files.replaceSynced('owner', new TextEncoder().encode(text));
      await assert.rejects(claimSigningFolder(files, FOLDER, OWN), { code: 'storage/corrupt' });
      assert.equal(new TextDecoder().decode(await files.read('owner')), text);
    }
  });
});
