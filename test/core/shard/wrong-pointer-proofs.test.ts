// Pointer proofs with any field wrong, against the root at the reference and against that of an epoch. Fields are found by walking the SSZ type, so a new
// one fails here until what refuses it is written down.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Type } from '@chainsafe/ssz';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { PointerProof } from '../../../src/core/shard/pointer-proof.ts';
import type { ShardBlockRefusal } from '../../../src/core/shard/validate-shard-block.ts';
import { mutationsOf } from '../../../src/simulation/adversaries/wrong-fields.ts';
import { call, FAR_CONTRACT, inputWith, NO_CONTRACT, proofOf, reasonOf, viewWith, withBody } from './shard-setup.ts';

const OTHER_ROOT = sha256(Uint8Array.of(9));
const EPOCHS = 3;
const WRONG: Readonly<Record<string, ShardBlockRefusal>> = {
  'siblings+': 'wrong-pointer-proof',
  'siblings-': 'wrong-pointer-proof',
  'siblings.0': 'wrong-pointer-proof',
  nothing: 'malformed-pointer-proof',
};
const WRONG_POINTER: typeof WRONG = {
  ...WRONG,
  target: 'wrong-pointer-proof',
  'leaf-': 'wrong-pointer-proof',
  'leaf.0.tag': 'wrong-pointer-proof',
  'leaf.0.key': 'wrong-pointer-proof',
  'leaf.0.value': 'wrong-pointer-proof',
  cut: 'wrong-pointer-proof', // Of the family that it names.
  longer: 'wrong-pointer-proof',
};
const WRONG_ABSENCE: typeof WRONG = {
  ...WRONG,
  target: 'pointer-proof-missing', // Nothing is at the other address either.
  'leaf+': 'wrong-pointer-proof',
  cut: 'malformed-pointer-proof',
  longer: 'malformed-pointer-proof',
};
/** Each root is another, and an epoch that is not over has none. */
const AT_REFERENCE: typeof WRONG = { 'epoch+': 'wrong-pointer-proof' };
const IN_LAST_EPOCH: typeof WRONG = { 'epoch-': 'wrong-pointer-proof', 'epoch.0': 'unknown-world-root' };
const IN_FIRST_EPOCH: typeof WRONG = { 'epoch-': 'wrong-pointer-proof', 'epoch.0': 'wrong-pointer-proof' };

describe('a pointer proof with one field wrong', () => {
  before(() => initialiseKeccak());

  for (const [what, target, epoch, expected] of [
    ['of a pointer at the reference', FAR_CONTRACT, undefined, { ...WRONG_POINTER, ...AT_REFERENCE }],
    ['of a pointer at the end of an epoch', FAR_CONTRACT, EPOCHS - 1, { ...WRONG_POINTER, ...IN_LAST_EPOCH }],
    ['of no pointer', NO_CONTRACT, undefined, { ...WRONG_ABSENCE, ...AT_REFERENCE }],
    ['of no pointer at the end of an epoch', NO_CONTRACT, 0, { ...WRONG_ABSENCE, ...IN_FIRST_EPOCH }],
  ] as const) {
    it(`${what} is refused, whichever it is`, () => {
      const { worldRoot } = viewWith();
      const worldRootOfEpoch = (at: number) => (at >= EPOCHS ? undefined : at === epoch ? worldRoot : OTHER_ROOT);
      const view = viewWith({ worldRoot: epoch === undefined ? worldRoot : OTHER_ROOT, worldRootOfEpoch });
      const right = proofOf(target, epoch);
      const block = inputWith([call(0, target)], { pointerProofOf: () => right, view });
      assert.equal(reasonOf(block), undefined);
      const reasonFor = (proof: Uint8Array) => reasonOf(withBody(block, { pointerProofs: [proof] }));
      const type = PointerProof as unknown as Type<PointerProof>;
      const wrong = mutationsOf(type, type.deserialize(right)).map(({ path, value }) => [path, type.serialize(value)] as const);
      const shapes = [
        ['cut', right.subarray(0, -1)],
        ['longer', Uint8Array.from([...right, 0])],
        ['nothing', new Uint8Array(0)],
      ] as const;
      assert.deepEqual(Object.fromEntries([...wrong, ...shapes].map(([path, bytes]) => [path, reasonFor(bytes)])), expected);
    });
  }
});
