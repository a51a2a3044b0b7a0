import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ContainerType } from '@chainsafe/ssz';
import fc from 'fast-check';
import { keccak256 } from '../../../src/core/crypto/keccak.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { concatBytes, ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import { Bytes20, Bytes32Type, Uint64Bigint, Uint256 } from '../../../src/core/protocol/ssz.ts';
import type { Account } from '../../../src/core/state/account.ts';
import { type AccountRecord, decodeAccountLeaf, EMPTY_CODE_HASH } from '../../../src/core/state/account-codec.ts';
import { accountKey, pointerKey, slotKey } from '../../../src/core/state/key.ts';
import {
  accountLeaf,
  accountOfRow,
  committedValue,
  LEAF_TAG,
  Leaf,
  pointerLeaf,
  slotLeaf,
  slotOfRow,
} from '../../../src/core/state/leaf.ts';

const CommittedAccount = new ContainerType({
  nonce: Uint64Bigint,
  balanceWei: Uint256,
  codeHash: Bytes32Type,
  storageRoot: Bytes32Type,
  family: Bytes20,
});

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const account: fc.Arbitrary<Account> = fc.record(
  {
    nonce: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    balanceWei: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 40n })),
    codeHash: fc.oneof(bytes(32), fc.constant(EMPTY_CODE_HASH)),
    storageRoot: fc.constant(ZERO_32),
    family: bytes(20),
  },
  { noNullPrototype: true },
);
const record: fc.Arbitrary<AccountRecord> = fc.oneof(
  account.map((plain) => ({ account: plain, storageTree: undefined })),
  fc
    .tuple(account, bytes(32), fc.nat(), fc.integer({ min: 1 }))
    .map(([plain, storageRoot, version, leafCount]) => ({ account: { ...plain, storageRoot }, storageTree: { version, leafCount } })),
);

describe('the encoding of an account', () => {
  it('that its leaf commits is the SSZ of {nonce, balanceWei, codeHash, storageRoot, family}', () => {
    fc.assert(
      fc.property(record, bytes(32), (value, key) => {
        const leaf = accountLeaf(key, value);
        const committed = committedValue(leaf.row);
        assert.deepEqual(committed, CommittedAccount.serialize(value.account));
        assert.deepEqual(decodeAccountLeaf(committed), value.account);
        assert.deepEqual(leaf.hash, sha256(Uint8Array.of(LEAF_TAG.account), key, sha256(committed)));
      }),
    );
    assert.equal(decodeAccountLeaf(new Uint8Array(123)), undefined);
  });

  it('as a row gives back the account and where its storage is, and the same leaf', () => {
    fc.assert(
      fc.property(record, bytes(32), (value, key) => {
        const leaf = accountLeaf(key, value);
        const read = new Leaf(key, leaf.row);
        assert.deepEqual(accountOfRow(leaf.row), value);
        assert.deepEqual(read.record, value);
        assert.deepEqual(leaf.record, value);
        assert.deepEqual(read.hash, leaf.hash);
      }),
    );
  });

  it('refuses a balance that is no uint256', () => {
    const value = { nonce: 0n, balanceWei: -1n, codeHash: EMPTY_CODE_HASH, storageRoot: ZERO_32, family: new Uint8Array(20) };
    const leafOf = (account: Account): unknown => accountLeaf(ZERO_32, { account, storageTree: undefined });
    assert.throws(() => leafOf(value), /invariant/);
    assert.throws(() => leafOf({ ...value, balanceWei: 2n ** 256n }), /invariant/);
    assert.doesNotThrow(() => leafOf({ ...value, balanceWei: 2n ** 256n - 1n }));
  });

  it('knows the hash of no code', () => {
    assert.deepEqual(EMPTY_CODE_HASH, keccak256(new Uint8Array()));
  });
});

describe('leaves', () => {
  it('hash as SHA-256(tag ‖ key ‖ SHA-256(value))', () => {
    const key = new Uint8Array(32).fill(5);
    const value = new Uint8Array(32).fill(9);
    const family = new Uint8Array(20).fill(3);
    assert.deepEqual(slotLeaf(key, value).hash, sha256(Uint8Array.of(LEAF_TAG.slot), key, sha256(value)));
    assert.deepEqual(pointerLeaf(key, family).hash, sha256(Uint8Array.of(LEAF_TAG.pointer), key, sha256(family)));
  });

  it('of slots leave out leading zeros on disk and give them back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 31 }), fc.uint8Array({ minLength: 32, maxLength: 32 }), (zeros, noise) => {
        const value = noise.map((byte, index) => (index < zeros ? 0 : byte | 1));
        const leaf = slotLeaf(ZERO_32, value);
        assert.equal(leaf.row.length, 1 + 32 - zeros);
        assert.deepEqual(slotOfRow(leaf.row), value);
        assert.deepEqual(new Leaf(ZERO_32, leaf.row).hash, leaf.hash);
      }),
    );
  });
});

describe('state keys', () => {
  it('are keccak256(family)[0..8] ‖ SHA256(kind ‖ family ‖ address)[0..24], remembered or not', () => {
    fc.assert(
      fc.property(bytes(20), bytes(20), (family, address) => {
        const expected = (kind: number, of: Uint8Array): Uint8Array =>
          concatBytes(keccak256(of).subarray(0, 8), sha256(Uint8Array.of(kind), of, address).subarray(0, 24));
        for (let again = 0; again < 2; again++) {
          assert.deepEqual(accountKey(family, address).bytes, expected(0, family));
          assert.deepEqual(pointerKey(address).bytes, expected(1, address));
          assert.deepEqual(accountKey(address, address).bytes, expected(0, address));
        }
      }),
    );
  });

  it('do not change when the caller writes into the addresses afterwards', () => {
    const address = new Uint8Array(20).fill(1);
    const before = accountKey(address, address);
    address[0] = 2;
    assert.notDeepEqual(accountKey(address, address).bytes, before.bytes);
    assert.deepEqual(accountKey(new Uint8Array(20).fill(1), new Uint8Array(20).fill(1)).bytes, before.bytes);
  });

  it('of slots are keccak256(slot)', () => {
    assert.deepEqual(slotKey(ZERO_32), keccak256(ZERO_32));
  });
});
