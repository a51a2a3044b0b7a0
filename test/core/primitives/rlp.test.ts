// RLP against @ethereumjs/rlp on random items, and every way of not being canonical.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RLP } from '@ethereumjs/rlp';
import fc from 'fast-check';
import { bytesToBigint, hex } from '../../../src/core/primitives/bytes.ts';
import { decodeRlp, encodeRlp, integerToRlp, RLP_DEPTH_MAX, type RlpItem } from '../../../src/core/primitives/rlp.ts';

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc.uint8Array({ minLength: 250, maxLength: 300 }),
  fc.constant(new Uint8Array(70_000)),
);
const { item } = fc.letrec<{ item: RlpItem; list: readonly RlpItem[] }>((tie) => ({
  item: fc.oneof({ maxDepth: 4 }, bytes, tie('list')),
  list: fc.array(tie('item') as fc.Arbitrary<RlpItem>, { maxLength: 8 }),
}));

function plain(value: RlpItem): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value.map(plain);
}

describe('RLP', () => {
  it('encodes as @ethereumjs/rlp does, and decodes what it encodes', () => {
    fc.assert(
      fc.property(item, (value) => {
        const encoded = encodeRlp(value);
        assert.deepEqual(encoded, RLP.encode(value as never));
        const decoded = decodeRlp(encoded);
        assert.ok(decoded.ok);
        assert.deepEqual(plain(decoded.value), plain(value));
      }),
      { numRuns: 200 },
    );
  });

  it('decodes nothing but what encodes to the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (foreign) => {
        const decoded = decodeRlp(foreign);
        if (decoded.ok) assert.deepEqual(encodeRlp(decoded.value), foreign);
      }),
      { numRuns: 2000 },
    );
  });

  for (const [name, encoding, reason] of [
    ['nothing', '', 'rlp-truncated'],
    ['a small byte with a prefix', '8105', 'rlp-not-canonical'],
    ['a long form for a short string', 'b801ff', 'rlp-not-canonical'],
    ['a length with a leading zero', `b90038${'11'.repeat(56)}`, 'rlp-not-canonical'],
    ['a long form for a short list', 'f801c0', 'rlp-not-canonical'],
    ['a truncated string', '83aabb', 'rlp-truncated'],
    ['a truncated length', 'b9ff', 'rlp-truncated'],
    ['a length beyond memory', 'bfffffffffffffffff', 'rlp-truncated'],
    ['bytes after the end', 'c000', 'rlp-trailing-bytes'],
    ['an element longer than its list', 'c283aabbcc', 'rlp-trailing-bytes'],
    ['an element that leaves its list', 'c183', 'rlp-truncated'],
  ] as const) {
    it(`refuses ${name}`, () => {
      const decoded = decodeRlp(hex(encoding));
      assert.ok(!decoded.ok);
      assert.equal(decoded.reason, reason);
    });
  }

  it('refuses lists nested too deeply, without recursing into them', () => {
    let nested: RlpItem = [];
    for (let i = 1; i < RLP_DEPTH_MAX; i++) nested = [nested];
    assert.ok(decodeRlp(encodeRlp(nested)).ok);
    const tooDeep = decodeRlp(encodeRlp([nested]));
    assert.ok(!tooDeep.ok && tooDeep.reason === 'rlp-too-deep');
    let bomb: RlpItem = [];
    for (let i = 0; i < 1000; i++) bomb = [bomb];
    assert.equal(decodeRlp(encodeRlp(bomb)).ok, false);
  });

  it('writes integers in their one form', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), (value) => {
        const encoded = integerToRlp(value);
        assert.notEqual(encoded[0], 0);
        assert.equal(bytesToBigint(encoded), value);
        if (value <= BigInt(Number.MAX_SAFE_INTEGER)) assert.deepEqual(integerToRlp(Number(value)), encoded);
      }),
    );
    fc.assert(fc.property(fc.maxSafeNat(), (value) => assert.deepEqual(integerToRlp(value), integerToRlp(BigInt(value)))));
  });
});
