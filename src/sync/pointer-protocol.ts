// Pointer proofs by request (protocol, section 5, "Where a message goes"): "what stands at the natural places of these addresses, in the world after that
// beacon block". Each answer is a proof against that block's world root, which whoever asks knows; an address of a shard that the peer does not
// have is left out.
import { ContainerType, ListCompositeType } from '@chainsafe/ssz';
import type { Address, Height } from '../core/primitives/ids.ts';
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';
import { POINTER_PROOF_BYTES_MAX } from '../core/protocol/limits.ts';
import { Bytes20, decodeCanonical, Uint64 } from '../core/protocol/ssz.ts';
import { protocolName } from '../network/topics.ts';

/** Name of the request protocol. */
export const POINTERS_PROTOCOL = protocolName('pointers');

/** Addresses that one request may ask for. */
export const POINTERS_PER_REQUEST_MAX = 64;
/** Bytes of one answer. */
export const POINTERS_ANSWER_BYTES_MAX = POINTERS_PER_REQUEST_MAX * POINTER_PROOF_BYTES_MAX;

/** See the file's head. */
export const PointersRequest = new ContainerType(
  { beaconHeight: Uint64, targets: new ListCompositeType(Bytes20, POINTERS_PER_REQUEST_MAX) },
  { typeName: 'PointersRequest', jsonCase: 'eth2' },
);

/** What is asked. */
export interface PointersQuestion {
  readonly beaconHeight: Height;
  readonly targets: readonly Address[];
}

/** The question. */
export function encodePointersRequest({ beaconHeight, targets }: PointersQuestion): Uint8Array {
  return PointersRequest.serialize({ beaconHeight, targets: [...targets] });
}

/** Reads a question of a peer. */
export function decodePointersRequest(bytes: Uint8Array): Verdict<PointersQuestion, 'malformed' | 'not-canonical' | 'asks-for-nothing'> {
  const decoded = decodeCanonical(PointersRequest, bytes);
  if (!decoded.ok) return decoded;
  return decoded.value.targets.length === 0 ? refuse('asks-for-nothing') : accept(decoded.value);
}
