// Rows that are not what the node wrote, though their checksum may match: reading them says so, at once, and gives no wrong value.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { concatBytes, uint64At, uint64ToBytes } from '../../../src/core/primitives/bytes.ts';
import { ROOT_SHARD } from '../../../src/core/primitives/ids.ts';
import { readChangeRow } from '../../../src/core/state/change-rows.ts';
import { accountOfRow, accountRow, LEAF_TAG, pointerOfRow, slotOfRow } from '../../../src/core/state/leaf.ts';
import { RowReader } from '../../../src/core/state/row-encoding.ts';
import { readHead } from '../../../src/core/state/shard-head.ts';
import { decodeRoot, encodeRoot } from '../../../src/core/state/tree-rows.ts';

const INVARIANT = /^Error: invariant broken: /;
const family = new Uint8Array(20).fill(1);
/** Tag, no flags, nonce 1, no balance, family. */
const plainRow = Uint8Array.of(LEAF_TAG.account, 0, 1, 1, 0, ...family);

describe('a row of an account', () => {
  it('is read where it is whole', () => {
    assert.deepEqual(accountOfRow(plainRow).account.nonce, 1n);
    assert.deepEqual(accountRow(accountOfRow(plainRow)), plainRow);
  });

  for (const [what, row] of [
    ['has an integer that is longer than any', Uint8Array.of(LEAF_TAG.account, 0, 33, ...new Uint8Array(33).fill(1), 0, ...family)],
    ['has a nonce of 9 bytes', Uint8Array.of(LEAF_TAG.account, 0, 9, ...new Uint8Array(9).fill(1), 0, ...family)],
    ['has an integer with a zero at its end', Uint8Array.of(LEAF_TAG.account, 0, 2, 1, 0, 0, ...family)],
    ['has a flag that there is not', Uint8Array.of(LEAF_TAG.account, 4, 1, 1, 0, ...family)],
    ['goes on', concatBytes(plainRow, Uint8Array.of(0))],
    ['is cut off', plainRow.subarray(0, 20)],
  ] as const) {
    it(`that ${what} is no account`, () => assert.throws(() => accountOfRow(row), INVARIANT));
  }
});

describe('a row', () => {
  it('of a pointer has 20 bytes, and one of a slot no leading zeros', () => {
    assert.throws(() => pointerOfRow(Uint8Array.of(LEAF_TAG.pointer, 1, 2)), INVARIANT);
    assert.throws(() => slotOfRow(Uint8Array.of(LEAF_TAG.slot, 0, 2)), INVARIANT);
  });

  it('of changes that names more slots than it has bytes for is refused before there is room for them', () => {
    for (const count of [
      [0xff, 0xff, 0xff, 0xff, 0x0f],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
    ])
      assert.throws(() => readChangeRow(Uint8Array.of(...new Uint8Array(32), 0, 0, ...count)), INVARIANT);
  });

  it('of a root or a height is that and nothing more', () => {
    const root = encodeRoot({ hash: new Uint8Array(32), version: 300, leafCount: 2, node: undefined });
    assert.equal(decodeRoot(root).version, 300);
    assert.throws(() => decodeRoot(concatBytes(root, Uint8Array.of(0))), INVARIANT);
    const head = (bytes: Uint8Array) => readHead({ get: () => bytes, iterate: () => assert.fail('nothing is searched for') }, ROOT_SHARD);
    assert.equal(head(uint64ToBytes(7))?.committed, 7);
    for (const bytes of [new Uint8Array(7), new Uint8Array(9), new Uint8Array(8).fill(0xff)]) assert.throws(() => head(bytes), INVARIANT);
  });

  it('has one encoding of an integer, which a double holds', () => {
    assert.equal(new RowReader(Uint8Array.of(0)).varint(), 0);
    assert.equal(new RowReader(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f)).varint(), Number.MAX_SAFE_INTEGER);
    for (const bytes of [
      [0x80, 0],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f],
    ])
      assert.throws(() => new RowReader(Uint8Array.from(bytes)).varint(), INVARIANT);
    assert.throws(() => uint64At(uint64ToBytes(1), 1), INVARIANT);
  });
});
