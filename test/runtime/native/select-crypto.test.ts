import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { hasher as sszHasher } from '@chainsafe/persistent-merkle-tree';
import { ByteListType, ListCompositeType } from '@chainsafe/ssz';
import fc from 'fast-check';
import { hash64, hashPairs, pairHasherName } from '../../../src/core/crypto/sha256.ts';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import { blstLoads } from '../../../src/runtime/native/bls-blst.ts';
import { nativeSecp256k1 } from '../../../src/runtime/native/secp256k1-native.ts';
import { selectCrypto } from '../../../src/runtime/native/select-crypto.ts';
import { installHashtree } from '../../../src/runtime/native/ssz-hashtree.ts';

describe('the choice of implementations', () => {
  it('is native where that works, and says so', () => {
    const { bls, secp256k1, describe: described } = selectCrypto({ disableNative: false });
    assert.equal(bls.name, blstLoads() ? '@chainsafe/blst' : '@noble/curves');
    assert.equal(secp256k1.name, nativeSecp256k1()?.name ?? '@noble/curves');
    assert.equal(described['bls'], bls.name);
    assert.equal(described['secp256k1'], secp256k1.name);
    assert.deepEqual(Object.keys(described), ['bls', 'secp256k1', 'vrf', 'sha256', 'keccak256']);
  });

  it('is portable when told so', () => {
    const { bls, secp256k1 } = selectCrypto({ disableNative: true });
    assert.deepEqual([bls.name, secp256k1.name], ['@noble/curves', '@noble/curves']);
  });
});

describe('native hashing of trees', () => {
  after(() => installHashtree({ disableNative: true }));

  it('gives the same roots, and says what hashes', async () => {
    const List = new ListCompositeType(new ByteListType(256), 64);
    const values = Array.from({ length: 40 }, (_unused, index) => new Uint8Array(index * 5).fill(index));
    const installed: string[] = [];
    const roots: string[] = [];
    for (const disableNative of [true, false]) {
      installed.push(await installHashtree({ disableNative }));
      assert.equal(pairHasherName(), installed.at(-1));
      roots.push(bytesToHex(List.hashTreeRoot(values)), bytesToHex(List.toViewDU(values).hashTreeRoot()));
    }
    assert.equal(installed[0], '@chainsafe/as-sha256');
    assert.equal(sszHasher.name === 'hashtree', installed[1] === '@chainsafe/hashtree');
    assert.equal(new Set(roots).size, 1);
  });

  it('gives the same parents for levels of any width', async () => {
    const anyLevel = fc.integer({ min: 1, max: 40 }).chain((pairs) => fc.uint8Array({ minLength: 64 * pairs, maxLength: 64 * pairs }));
    const levels = fc.sample(anyLevel, 30);
    const parentsOf = (level: Uint8Array): string => {
      const parents = new Uint8Array(level.length / 2);
      hashPairs(level, parents);
      return bytesToHex(parents) + bytesToHex(hash64(level.subarray(0, 32), level.subarray(32, 64)));
    };
    await installHashtree({ disableNative: true });
    const portable = levels.map(parentsOf);
    await installHashtree({ disableNative: false });
    assert.deepEqual(levels.map(parentsOf), portable);
  });
});
