// A fault of the disk excuses the end that it causes, and no other.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CoppiceError } from '../../src/core/primitives/errors.ts';
import { excuseOf } from '../../src/simulation/excuse.ts';
import '../../src/storage/errors.ts';

const full = new CoppiceError('storage/unavailable', { path: 'disk', detail: 'no space left' });
const corrupt = new CoppiceError('storage/corrupt', { path: 'disk', detail: 'checksum' });
const both = { hasHadFullDisk: true, hasHadBitRot: true };

describe('a node that ended by itself', () => {
  it('is excused by the fault that its error names', () => {
    assert.equal(excuseOf(full, both), 'full-disk');
    assert.equal(excuseOf(corrupt, both), 'bit-rot');
  });

  it('is not by a fault that it has not had', () => {
    assert.equal(excuseOf(full, { ...both, hasHadFullDisk: false }), undefined);
    assert.equal(excuseOf(corrupt, { ...both, hasHadBitRot: false }), undefined);
  });

  it('is not where its error names no fault of the disk, whatever it has had', () => {
    assert.equal(excuseOf(new Error('a bug'), both), undefined);
    assert.equal(excuseOf('a bug', both), undefined);
  });
});
