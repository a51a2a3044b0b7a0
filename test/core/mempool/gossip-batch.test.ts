// Batches of transactions on the wire: what goes in comes out, within bounds, and nothing malformed passes.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  BATCH_BYTES_MAX,
  BATCH_TRANSACTIONS_MAX,
  decodeTransactionBatch,
  encodeTransactionBatches,
} from '../../../src/core/mempool/gossip-batch.ts';

const decoded = (data: Uint8Array): readonly Uint8Array[] => {
  const verdict = decodeTransactionBatch(data);
  assert.ok(verdict.ok, verdict.ok ? '' : verdict.reason);
  return verdict.value;
};

describe('a batch of transactions', () => {
  it('brings the same bytes in the same order, in batches within the bounds', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 700 }), (raws) => {
        const batches = encodeTransactionBatches(raws);
        assert.deepEqual(batches.flatMap(decoded), raws);
      }),
      { seed: 20_261_121, numRuns: 30 },
    );
    const large = encodeTransactionBatches([new Uint8Array(131_072), new Uint8Array(131_072), new Uint8Array(9)]);
    assert.deepEqual(
      large.map((batch) => decoded(batch).length),
      [1, 2],
    );
    const many = encodeTransactionBatches(Array.from({ length: BATCH_TRANSACTIONS_MAX + 1 }, () => new Uint8Array(1)));
    assert.deepEqual(
      many.map((batch) => decoded(batch).length),
      [BATCH_TRANSACTIONS_MAX, 1],
    );
  });

  it('is refused when it is empty, too large, or not the canonical encoding', () => {
    const reason = (data: Uint8Array): string => {
      const verdict = decodeTransactionBatch(data);
      return verdict.ok ? 'accepted' : verdict.reason;
    };
    assert.equal(reason(new Uint8Array(0)), 'empty');
    assert.equal(reason(new Uint8Array(BATCH_BYTES_MAX + 1)), 'too-large');
    const good = encodeTransactionBatches([Uint8Array.of(1, 2), Uint8Array.of(3)])[0] as Uint8Array;
    assert.equal(reason(good), 'accepted');
    assert.notEqual(reason(good.subarray(0, 3)), 'accepted');
    assert.notEqual(reason(good.map((byte, i) => (i === 4 ? 99 : byte))), 'accepted');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const verdict = decodeTransactionBatch(bytes);
        if (verdict.ok) assert.deepEqual(encodeTransactionBatches(verdict.value), [bytes]);
      }),
      { seed: 20_261_121, numRuns: 300 },
    );
  });

  it('gives each transaction its own bytes, also where a library made the batch a Buffer', () => {
    const raws = [new Uint8Array(120).fill(1), new Uint8Array(200).fill(2)];
    const [batch] = encodeTransactionBatches(raws);
    for (const data of [batch as Uint8Array, Buffer.from(batch as Uint8Array)])
      assert.deepEqual(
        decoded(data).map(({ buffer }) => buffer.byteLength),
        [120, 200],
      );
  });
});
