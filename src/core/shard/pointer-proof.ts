// Pointer proofs in a body (protocol, section 5, "Where a message goes"): that the address a transaction calls has a pointer at its natural place
// in another shard, or has none, against the world root at the block's reference or at the end of any epoch. With a pointer the main call
// goes straight to the family's shard, which then sets its price and ration ⚠: else the shard of a hot contract is never priced.
import { ContainerType, ListBasicType, ListCompositeType, type ValueOf } from '@chainsafe/ssz';
import type { Address, Epoch } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { Bytes20, Bytes32Type, byteList, decodeCanonical, Uint8, Uint64 } from '../protocol/ssz.ts';
import { ACCOUNT_LEAF_BYTES } from '../state/account-codec.ts';
import { pointerKey } from '../state/key.ts';
import { LEAF_TAG } from '../state/leaf.ts';
import { PROOF_SIBLINGS_MAX, type StateProof, verifyProof } from '../state/proof.ts';
import type { BeaconView } from './beacon-view.ts';

const EndOfWay = new ContainerType(
  { tag: Uint8, key: Bytes32Type, value: byteList(ACCOUNT_LEAF_BYTES) },
  { typeName: 'EndOfWay', jsonCase: 'eth2' },
);

/** One element of `BlockBody.pointerProofs`. */
export const PointerProof = new ContainerType(
  {
    target: Bytes20,
    /** The epoch at whose end the world had the root; none: the root is that at the reference. */
    epoch: new ListBasicType(Uint64, 1),
    /** From the world root down to where the pointer is or would be (state/proof.ts). */
    siblings: new ListCompositeType(Bytes32Type, PROOF_SIBLINGS_MAX),
    /** What stands there: the pointer, another leaf that shares the way, or nothing. */
    leaf: new ListCompositeType(EndOfWay, 1),
  },
  { typeName: 'PointerProof', jsonCase: 'eth2' },
);
export type PointerProof = ValueOf<typeof PointerProof>;

/** Why an element of `pointerProofs` is not one. */
export type PointerProofFault = 'malformed' | 'not-canonical';

/** Reads one element of `BlockBody.pointerProofs`. */
export function decodePointerProof(bytes: Uint8Array): Verdict<PointerProof, PointerProofFault> {
  return decodeCanonical(PointerProof, bytes);
}

/** The family that a pointer at the target's natural place names; undefined: there is none. */
export function verifyPointerProof(
  { target, epoch, siblings, leaf }: PointerProof,
  view: Pick<BeaconView, 'worldRoot' | 'worldRootOfEpoch'>,
): Verdict<Address | undefined, 'unknown-world-root' | 'wrong-pointer-proof'> {
  const [ofEpoch] = epoch;
  const root = ofEpoch === undefined ? view.worldRoot : view.worldRootOfEpoch(ofEpoch);
  if (root === undefined) return refuse('unknown-world-root', `of epoch ${ofEpoch}`);
  const key = pointerKey(target).bytes;
  const verified = verifyProof('account', root, key, { key, siblings, leaf: leaf[0] });
  if (!verified.ok) return refuse('wrong-pointer-proof', `${verified.reason} ${verified.detail}`);
  const { value: there } = verified;
  if (there === undefined) return accept(undefined);
  return there.tag === LEAF_TAG.pointer ? accept(there.value) : refuse('wrong-pointer-proof', `a leaf of tag ${there.tag}`);
}

/** The encoded element that shows what this proof against a world root says of the target's pointer; `epoch` undefined: at the reference. */
export function makePointerProof(target: Address, epoch: Epoch | undefined, { siblings, leaf }: StateProof): Uint8Array {
  return PointerProof.serialize({
    target,
    epoch: epoch === undefined ? [] : [epoch],
    siblings: [...siblings],
    leaf: leaf === undefined ? [] : [leaf],
  });
}
