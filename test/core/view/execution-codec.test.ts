// View blocks and the executions that they show come back from disk as they went.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { initialiseKeccak, keccak256 } from '../../../src/core/crypto/keccak.ts';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import { deriveViewBlock } from '../../../src/core/view/derive-block.ts';
import {
  decodeChargedTransaction,
  decodeExecution,
  encodeChargedTransaction,
  encodeExecution,
} from '../../../src/core/view/execution-codec.ts';
import type { ShownExecution } from '../../../src/core/view/shown-execution.ts';
import { decodeViewHeader, encodeViewHeader } from '../../../src/core/view/view-header-codec.ts';
import { anchor, CHAIN_ID, EMITTED_KINDS, execution, hash, shown, transaction } from './executed-fixture.ts';

/** Of `ViewMessageRecord`, which has a fixed size. */
const MESSAGE_RECORD_BYTES = 4 + 32 + 2 + 64 + 40 + 1 + 40 + 32 + 16 + 1 + 4 + 4;

const parameters = { transactionGasLimitMax: 8_000_000 };
const PLAIN = { noNullPrototype: true };
const wei = fc.bigInt({ min: 0n, max: 2n ** 100n });
const heights = fc.array(fc.record({ shard: fc.integer({ min: 1, max: 1_000 }), height: fc.integer({ min: 0, max: 2 ** 40 }) }, PLAIN), {
  maxLength: 5,
});

/** What an execution may say beside its items. */
const others = fc.record({
  held: fc.array(
    fc
      .record({ mainCallId: hash, pointerCount: fc.integer({ min: 1, max: 9 }), transaction }, PLAIN)
      .map(({ transaction: one, ...held }) => ({
        ...held,
        transaction: { kind: 'account' as const, transaction: one },
        receipt: {
          succeeded: true,
          gasUsed: one.gasLimit,
          cumulativeGasUsed: one.gasLimit,
          effectiveGasPriceWei: 7n,
          contractAddress: held.mainCallId.slice(0, 20),
          logs: [],
          firstLogIndex: 0,
        },
      })),
    { maxLength: 2 },
  ),
  pointed: fc.array(hash, { maxLength: 3 }),
  sums: fc.record({ sentValueWei: wei, sentTipsWei: wei, takenValueWei: wei, takenTipsWei: wei }, PLAIN),
});

describe('the rows of a view block', () => {
  before(initialiseKeccak);

  it('decode to the header that was encoded, with the executions and states that it names', () => {
    fc.assert(
      fc.property(anchor, heights, heights, (place, executions, versions) => {
        const late = versions.map((one, index) => ({ ...one, index }));
        const { header, hash, hashHex, timestampMs } = deriveViewBlock(place, undefined, [], parameters);
        const row = encodeViewHeader({ header, hash, hashHex, timestampMs }, { executions, late, heights: versions });
        assert.deepEqual(decodeViewHeader(row), { header, hash, hashHex, timestampMs, executions, late, heights: versions });
      }),
      { numRuns: 60 },
    );
  });

  it('decode to the execution that was encoded', () => {
    fc.assert(
      fc.property(execution(12), others, (executed, also) => {
        const whole: ShownExecution = { ...shown(executed), ...also };
        assert.deepEqual(decodeExecution(encodeExecution(whole), CHAIN_ID), whole);
      }),
      { numRuns: 100 },
    );
  });

  it('decode to the transaction that was charged', () => {
    fc.assert(
      fc.property(transaction, wei, (one, effectiveGasPriceWei) => {
        const charged = { transaction: one, effectiveGasPriceWei };
        assert.deepEqual(decodeChargedTransaction(encodeChargedTransaction(charged), CHAIN_ID), charged);
      }),
      { numRuns: 50 },
    );
  });

  it('that are not what was written are refused, at once and by name', () => {
    const broken = /^Error: invariant broken: /;
    const [sample] = fc.sample(execution(3), { numRuns: 1, seed: 7 });
    assert.ok(sample !== undefined);
    const rows = encodeExecution(shown(sample));
    for (const part of ['transactions', 'receipts'] as const) {
      assert.throws(() => decodeExecution({ ...rows, [part]: rows[part].slice(1) }, CHAIN_ID), broken);
      assert.throws(() => decodeExecution({ ...rows, [part]: new Uint8Array(0) }, CHAIN_ID), broken);
    }
    assert.throws(() => decodeViewHeader(new Uint8Array(40)), broken);
    // No receipts, and one message that says that four billion others stand before it.
    const fixedBytes = 4 * 4 + 4 * 32;
    const receipts = new Uint8Array(fixedBytes + MESSAGE_RECORD_BYTES);
    const view = new DataView(receipts.buffer);
    view.setUint32(0, fixedBytes, true);
    view.setUint32(4, fixedBytes, true);
    for (const offset of [8, 12]) view.setUint32(offset, fixedBytes + MESSAGE_RECORD_BYTES, true);
    view.setUint32(fixedBytes, 0xffff_ffff, true);
    const before = performance.now();
    assert.throws(() => decodeExecution({ transactions: new Uint8Array(0), receipts }, CHAIN_ID), /implied messages/);
    assert.ok(performance.now() - before < 1_000);
  });

  it('keep their format', () => {
    const [sample] = fc.sample(fc.tuple(anchor, execution(40, EMITTED_KINDS.slice(0, 4)), heights, others), { numRuns: 1, seed: 7 });
    assert.ok(sample !== undefined);
    const [place, executed, versions, also] = sample;
    const whole = { ...shown(executed), ...also };
    const header = encodeViewHeader(deriveViewBlock(place, undefined, [whole], parameters), {
      executions: versions,
      late: [],
      heights: versions,
    });
    const rows = encodeExecution(whole);
    assert.equal(
      bytesToHex(keccak256(header, rows.transactions, rows.receipts)),
      '0f4a0fca3b0a4b8f7ed091f893c97a730eaad2a354248d5c0e7e702d1a25172f',
    );
  });
});
