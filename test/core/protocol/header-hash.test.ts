// A block's hash is computed apart from the library that defines it: both must be one, for every header, and so must the branches under it.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Type } from '@chainsafe/ssz';
import { isMerkleBranch } from '../../../src/core/beacon/merkle.ts';
import { BlockHeader, blockHashOf, headerBranchOf } from '../../../src/core/protocol/block.ts';
import { installHashtree } from '../../../src/runtime/native/ssz-hashtree.ts';
import { drawFrom, generateValue } from './generate-value.ts';

const HEADERS = 200;

for (const disableNative of [false, true])
  describe(`the hash of a header ${disableNative ? 'in WebAssembly' : 'with native code'}`, () => {
    before(async () => {
      await installHashtree({ disableNative });
    });

    it('is its SSZ root, and stays it for a changed copy', () => {
      const draw = drawFrom(1);
      for (let count = 0; count < HEADERS; count++) {
        const header = generateValue(BlockHeader as Type<unknown>, draw) as BlockHeader;
        assert.deepEqual(blockHashOf(header), BlockHeader.hashTreeRoot(header));
        const changed = { ...header, round: header.round + 1 };
        assert.deepEqual(blockHashOf(changed), BlockHeader.hashTreeRoot(changed));
        assert.deepEqual(blockHashOf(header), BlockHeader.hashTreeRoot(header));
      }
    });

    it('is reached by the branch of each field', () => {
      const header = generateValue(BlockHeader as Type<unknown>, drawFrom(2)) as BlockHeader;
      for (const [index, { fieldName, fieldType }] of BlockHeader.fieldsEntries.entries()) {
        const root = (fieldType as Type<unknown>).hashTreeRoot(header[fieldName]);
        assert.ok(isMerkleBranch(root, index, headerBranchOf(header, index), blockHashOf(header)), fieldName);
      }
    });
  });
