// Domains: what ties a signature to one kind of object, one network and one instance. Without the instance in it a signature of one
// epoch's committee could be replayed in the next. A domain root is the SSZ hash-tree-root of the container
// { kind: uint64, genesisRoot: Bytes32, instanceId: Bytes32 }, written out here because this room knows no SSZ library.
import { ZERO_32 } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import { hash64 } from './sha256.ts';

/** The kinds of object that are signed. A number is never used again for something else. */
export const SIGNATURE_KIND = {
  proposal: 1,
  vote: 2,
  commitVote: 3,
  timeout: 4,
  /** Proof of possession of a validator's keys; its genesis root and instance id are zeros. */
  possession: 5,
  /** The input of a leader's VRF proof. */
  vrf: 6,
  /** A validator's announcement of its network address. */
  address: 7,
} as const;

/** One of the kinds of object that are signed. */
export type SignatureKind = (typeof SIGNATURE_KIND)[keyof typeof SIGNATURE_KIND];

/** The hash-tree-root of { kind, genesisRoot, instanceId }: three chunks, padded to four leaves. */
export function domainRoot(kind: SignatureKind, genesisRoot: Uint8Array, instanceId: Uint8Array): Uint8Array {
  invariant(genesisRoot.length === 32 && instanceId.length === 32, 'roots and instance ids have 32 bytes');
  const kindChunk = new Uint8Array(32);
  kindChunk[0] = kind; // A uint64 in little-endian order; the kinds are small.
  return hash64(hash64(kindChunk, genesisRoot), hash64(instanceId, ZERO_32));
}

/** What is signed: SHA-256(object's hash-tree-root ‖ domain root). */
export function signingRoot(objectRoot: Uint8Array, domain: Uint8Array): Uint8Array {
  return hash64(objectRoot, domain);
}
