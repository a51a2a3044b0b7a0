// Branches in lists, against the roots that the SSZ library computes.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ListCompositeType } from '@chainsafe/ssz';
import fc from 'fast-check';
import { branchOf, listRootFrom, listTreeOf } from '../../../src/core/protocol/list-branch.ts';
import { Bytes32Type } from '../../../src/core/protocol/ssz.ts';

const DEPTH_MAX = 6;
const List = new ListCompositeType(Bytes32Type, 2 ** DEPTH_MAX);
const lists = fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { minLength: 1, maxLength: 2 ** DEPTH_MAX });

describe('a branch in a list', () => {
  it('leads from each element to the root of the list', () => {
    fc.assert(
      fc.property(lists, (elements) => {
        const tree = listTreeOf(elements);
        for (const [index, element] of elements.entries()) {
          const branch = branchOf(tree, index);
          assert.deepEqual(listRootFrom(element, index, elements.length, branch, DEPTH_MAX), List.hashTreeRoot(elements));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('proves nothing of another place, another length, another element or with another hash', () => {
    fc.assert(
      fc.property(lists, fc.nat(), fc.nat(), (elements, choice, change) => {
        const root = List.hashTreeRoot(elements);
        const index = choice % elements.length;
        const element = elements[index] as Uint8Array;
        const branch = branchOf(listTreeOf(elements), index);
        const differs = (other: Uint8Array | undefined): void => assert.notDeepEqual(other, root);
        const flipped = element.map((byte, at) => (at === change % 32 ? byte ^ 1 : byte));
        differs(listRootFrom(flipped, index, elements.length, branch, DEPTH_MAX));
        if (elements.length < 2 ** DEPTH_MAX) differs(listRootFrom(element, index, elements.length + 1, branch, DEPTH_MAX));
        differs(listRootFrom(element, index, elements.length, [...branch, element], DEPTH_MAX));
        if (branch.length === 0) return;
        const altered = branch.with(change % branch.length, flipped);
        differs(listRootFrom(element, index, elements.length, altered, DEPTH_MAX));
        differs(listRootFrom(element, index, elements.length, branch.slice(1), DEPTH_MAX));
      }),
      { numRuns: 60 },
    );
  });

  it('is of no element outside the list, nor of a list longer than its type', () => {
    const element = new Uint8Array(32).fill(7);
    assert.equal(listRootFrom(element, 1, 1, [], DEPTH_MAX), undefined);
    assert.equal(listRootFrom(element, -1, 1, [], DEPTH_MAX), undefined);
    assert.equal(listRootFrom(element, 0, 3, [element, element], 1), undefined);
  });
});
