// What the beacon made final of an instance against what a node has committed of it: where they part is seen whichever of the two came first.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import { AnchoredBranch, type NamedBlock } from '../../src/runtime/anchored-branch.ts';

const block = (branch: string, height: number): NamedBlock => ({ height, hash: sha256(new TextEncoder().encode(`${branch} ${height}`)) });

function setUp() {
  const own: NamedBlock[] = [];
  const branch = new AnchoredBranch({
    has: (hash) => own.some((each) => bytesToHex(each.hash) === bytesToHex(hash)),
    height: () => own.at(-1)?.height ?? 0,
  });
  const commit = (each: NamedBlock): void => {
    own.push(each);
    branch.committed(each);
  };
  return { branch, commit };
}

describe('the anchored branch of an instance', () => {
  it('does not part from a node that has the same blocks, earlier or later', () => {
    const { branch, commit } = setUp();
    for (const height of [1, 2, 3]) commit(block('a', height));
    for (const height of [2, 3, 4, 5]) branch.anchored(block('a', height));
    for (const height of [4, 5, 6]) commit(block('a', height));
    assert.equal(branch.partsAt, undefined);
  });

  it('parts from one that has others, at the first height where it has one', () => {
    const { branch, commit } = setUp();
    for (const height of [1, 2]) commit(block('a', height));
    for (const height of [3, 4]) commit(block('b', height));
    for (const height of [2, 3, 4, 5]) branch.anchored(block('a', height));
    assert.equal(branch.partsAt, 3);
  });

  it('parts from one that commits others afterwards, and tells of them before', () => {
    const { branch, commit } = setUp();
    commit(block('a', 1));
    for (const height of [2, 3]) branch.anchored(block('a', height));
    assert.ok(branch.isLosing(block('b', 2)));
    assert.ok(!branch.isLosing(block('a', 2)) && !branch.isLosing(block('b', 4)), 'of what is not anchored nothing is known');
    commit(block('b', 2));
    assert.equal(branch.partsAt, 2);
  });

  it('remembers the newest, however far a node is behind', () => {
    const { branch, commit } = setUp();
    for (let height = 1; height <= 10_000; height++) branch.anchored(block('a', height));
    commit(block('b', 10_000));
    assert.equal(branch.partsAt, 10_000);
  });
});
