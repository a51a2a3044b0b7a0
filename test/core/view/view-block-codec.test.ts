// View blocks come back from disk as they went.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { initialiseKeccak, keccak256 } from '../../../src/core/crypto/keccak.ts';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import { deriveViewBlock } from '../../../src/core/view/derive-block.ts';
import { decodeViewBlock, decodeViewHeader, encodeViewBlock } from '../../../src/core/view/view-block-codec.ts';
import { anchor, CHAIN_ID, EMITTED_KINDS, execution } from './executed-fixture.ts';

/** Of `ViewMessageRecord`, which has a fixed size. */
const MESSAGE_RECORD_BYTES = 4 + 32 + 2 + 64 + 40 + 1 + 40 + 32 + 16 + 1 + 4 + 4;

const parameters = { transactionGasLimitMax: 8_000_000 };

describe('the rows of a view block', () => {
  before(initialiseKeccak);

  it('decode to the block that was encoded', () => {
    fc.assert(
      fc.property(anchor, execution(12), (place, executed) => {
        const block = deriveViewBlock(place, undefined, [executed], parameters);
        const rows = encodeViewBlock(block);
        assert.deepEqual(decodeViewBlock(rows, CHAIN_ID), block);
        const { header, hash, hashHex, timestampMs } = block;
        assert.deepEqual(decodeViewHeader(rows.header), { header, hash, hashHex, timestampMs });
      }),
      { numRuns: 100 },
    );
  });

  it('that are not what was written are refused, at once and by name', () => {
    const broken = /^Error: invariant broken: /;
    const [sample] = fc.sample(fc.tuple(anchor, execution(3)), { numRuns: 1, seed: 7 });
    assert.ok(sample !== undefined);
    const rows = encodeViewBlock(deriveViewBlock(sample[0], undefined, [sample[1]], parameters));
    for (const part of ['header', 'transactions', 'receipts'] as const) {
      assert.throws(() => decodeViewBlock({ ...rows, [part]: rows[part].slice(1) }, CHAIN_ID), broken);
      assert.throws(() => decodeViewBlock({ ...rows, [part]: new Uint8Array(0) }, CHAIN_ID), broken);
    }
    // No receipts, and one message that says that four billion others stand before it.
    const receipts = new Uint8Array(8 + MESSAGE_RECORD_BYTES);
    receipts.set([8, 0, 0, 0, 8, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    const before = performance.now();
    assert.throws(() => decodeViewBlock({ ...rows, transactions: new Uint8Array(0), receipts }, CHAIN_ID), broken);
    assert.ok(performance.now() - before < 1_000);
  });

  it('keep their format', () => {
    const [sample] = fc.sample(fc.tuple(anchor, execution(40, EMITTED_KINDS.slice(0, 4))), { numRuns: 1, seed: 7 });
    assert.ok(sample !== undefined);
    const rows = encodeViewBlock(deriveViewBlock(sample[0], undefined, [sample[1]], parameters));
    assert.equal(
      bytesToHex(keccak256(rows.header, rows.transactions, rows.receipts)),
      'a3b46038a7d78f64753f2bed7c030e2bc92a485189dc16f8867f4ab671f03701',
    );
  });
});
