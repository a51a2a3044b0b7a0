// The state's root and proofs from it, against the SSZ library's own root.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { merkleBranch, merkleRoot, withLength } from '../../../src/core/beacon/merkle.ts';
import { BeaconState, type RecordEntry } from '../../../src/core/beacon/state.ts';
import { proveField, proveRecord, verifyField, verifyRecord } from '../../../src/core/beacon/state-proof.ts';
import { BEACON_FIELDS, type BeaconField, fieldRootsOf, stateRootOf } from '../../../src/core/beacon/state-root.ts';
import { bytesEqual, bytesToHex } from '../../../src/core/primitives/bytes.ts';
import { installHashtree } from '../../../src/runtime/native/ssz-hashtree.ts';
import { drawFrom, generateValue } from '../protocol/generate-value.ts';
import { advance, advanceTo, beaconOf, rootOf, smallGenesis } from './fixture.ts';

before(() => installHashtree());

const isSame = (field: BeaconField, a: BeaconState, b: BeaconState): boolean =>
  bytesEqual(...([a, b].map((state) => fieldRootsOf(state)[BEACON_FIELDS.indexOf(field)]) as [Uint8Array, Uint8Array]));
const libraryRoot = (state: BeaconState): Uint8Array => BeaconState.hashTreeRoot(state as never);

describe('the root of a beacon state', () => {
  it('is that of the SSZ library, for whatever is in it', () => {
    for (let seed = 0; seed < 60; seed++) {
      const state = generateValue(BeaconState as never, drawFrom(seed)) as BeaconState;
      assert.deepEqual(stateRootOf(state), libraryRoot(state), `seed ${seed}`);
    }
  });

  it('is that of the library after every block, while parts are shared with the state before', () => {
    const beacon = beaconOf(smallGenesis({ validators: 7, layout: [2, 3] }));
    for (let block = 0; block < 20; block++) {
      advance(beacon);
      assert.deepEqual(stateRootOf(beacon.state), libraryRoot(beacon.state));
    }
  });

  it('changes with each field, whichever parts it shares with another', () => {
    const [one, two] = [1, 2].map((seed) => generateValue(BeaconState as never, drawFrom(seed)) as BeaconState) as [
      BeaconState,
      BeaconState,
    ];
    const roots = BEACON_FIELDS.map((field) => {
      const mixed = { ...one, [field]: two[field] };
      assert.deepEqual(stateRootOf(mixed), libraryRoot(mixed), field);
      return bytesToHex(stateRootOf(mixed));
    });
    const changed = BEACON_FIELDS.filter((field) => !isSame(field, one, two));
    assert.equal(new Set([...roots, bytesToHex(stateRootOf(one))]).size, changed.length + 1);
    assert.ok(changed.length > 10);
  });
});

describe('a Merkle tree of chunks', () => {
  it('has a branch for each, that leads to its root, at every depth', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 3 }), (count, more) => {
        const chunks = Array.from({ length: count }, (_unused, index) => rootOf('chunk', index));
        const depth = Math.ceil(Math.log2(count)) + more;
        const lengths = new Set(chunks.map((_chunk, index) => merkleBranch(chunks, index, depth).length));
        assert.deepEqual([...lengths], [depth]);
        assert.equal(merkleRoot(chunks, depth).length, 32);
      }),
    );
  });

  it('of nothing is the empty list of the specification', () => {
    assert.deepEqual(withLength(merkleRoot([], 10), 0), BeaconState.fields.records.hashTreeRoot([]));
  });
});

describe('a proof against the state root', () => {
  const beacon = beaconOf(smallGenesis({ validators: 9, layout: [4, 5, 3] }));
  advanceTo(beacon, 9);
  const { state } = beacon;
  const root = libraryRoot(state);

  it('shows every field, and no other in its place', () => {
    const roots = fieldRootsOf(state);
    for (const [index, field] of BEACON_FIELDS.entries()) {
      const branch = proveField(state, field);
      const fieldRoot = roots[index] as Uint8Array;
      assert.deepEqual(fieldRoot, (BeaconState.fields[field] as { hashTreeRoot(value: unknown): Uint8Array }).hashTreeRoot(state[field]));
      assert.ok(verifyField(root, field, fieldRoot, branch));
      assert.ok(!verifyField(root, field, rootOf('other'), branch));
      const next = BEACON_FIELDS[(index + 2) % BEACON_FIELDS.length] ?? field;
      assert.ok(!verifyField(root, next, fieldRoot, branch));
      assert.ok(!verifyField(root, field, fieldRoot, branch.slice(1)));
    }
  });

  it('shows each start record with its progress, at its place, and nothing else', () => {
    for (const [index, shard] of [4, 5, 3].entries()) {
      const proof = proveRecord(state, shard);
      assert.equal(proof.index, index);
      assert.ok(verifyRecord(root, proof));
      assert.ok(!verifyRecord(root, { ...proof, index: index + 1 }));
      assert.ok(!verifyRecord(root, { ...proof, index: index + 1024 }), 'nor in the list’s length');
      assert.ok(!verifyRecord(root, { ...proof, branch: proof.branch.slice(1) }));
      assert.ok(!verifyRecord(rootOf('other'), proof));
      const entry: RecordEntry = { ...proof.entry, closed: true };
      assert.ok(!verifyRecord(root, { ...proof, entry }));
    }
  });
});
