// Bundles by request: "what these blocks of that shard sent to these places" (protocol, section 5, "Lanes"). Each bundle comes in one frame with
// the branch to its outbox's root, so it proves itself against the summary that the beacon anchored, and one that is not held is left out.
import { ContainerType, ListCompositeType, type ValueOf } from '@chainsafe/ssz';
import { BUNDLE_BRANCH_MAX } from '../core/messaging/bundle-index.ts';
import type { HeldBundle } from '../core/messaging/held-bundle.ts';
import type { BundlePlace } from '../core/messaging/lane-view.ts';
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';
import { MESSAGE_BYTES_MAX, MESSAGES_PER_BUNDLE_MAX } from '../core/protocol/limits.ts';
import { Bytes32Type, byteList, decodeCanonical, Uint16, Uint64 } from '../core/protocol/ssz.ts';
import { protocolName } from '../network/topics.ts';

/** Name of the request protocol. */
export const BUNDLES_PROTOCOL = protocolName('bundles');

/** Bundles that one request may ask for. */
export const BUNDLES_PER_REQUEST_MAX = 64;
/** Bytes of one bundle: 16 M gas buy some 5 MB of messages. What the network takes for a frame. */
export const BUNDLE_BYTES_MAX = 8 * 1024 * 1024;
/** Bytes of one answer; what would be above is left out, and asked for again. */
export const BUNDLES_ANSWER_BYTES_MAX = 12 * 1024 * 1024;

const Place = new ContainerType({ source: Uint64, height: Uint64, bundle: Uint16 }, { typeName: 'BundlePlace', jsonCase: 'eth2' });

/** See the file's head. */
export const BundlesRequest = new ContainerType(
  { places: new ListCompositeType(Place, BUNDLES_PER_REQUEST_MAX) },
  { typeName: 'BundlesRequest', jsonCase: 'eth2' },
);

/** One bundle with its proof. */
export const BundleFrame = new ContainerType(
  {
    place: Place,
    /** From the root of the bundle's index to the summary's `indexesRoot`. */
    branch: new ListCompositeType(Bytes32Type, BUNDLE_BRANCH_MAX),
    /** In the order of their emission. */
    messages: new ListCompositeType(byteList(MESSAGE_BYTES_MAX), MESSAGES_PER_BUNDLE_MAX),
  },
  { typeName: 'BundleFrame', jsonCase: 'eth2' },
);
export type BundleFrame = ValueOf<typeof BundleFrame>;

/** The question. */
export function encodeBundlesRequest(places: readonly BundlePlace[]): Uint8Array {
  return BundlesRequest.serialize({ places: [...places] });
}

/** Reads a question of a peer. */
export function decodeBundlesRequest(
  bytes: Uint8Array,
): Verdict<readonly BundlePlace[], 'malformed' | 'not-canonical' | 'asks-for-nothing'> {
  const decoded = decodeCanonical(BundlesRequest, bytes);
  if (!decoded.ok) return decoded;
  const { places } = decoded.value;
  return places.length === 0 ? refuse('asks-for-nothing') : accept(places);
}

/** The frame of a bundle that is held. */
export function encodeBundleFrame({ place, branch, messages }: HeldBundle): Uint8Array {
  return BundleFrame.serialize({ place, branch: [...branch], messages: [...messages] });
}

/** Reads a frame of a peer's answer. Whether it is the bundle that it says, the anchored summary tells (core/messaging/held-bundle.ts). */
export function decodeBundleFrame(bytes: Uint8Array): Verdict<BundleFrame, 'malformed' | 'not-canonical'> {
  return decodeCanonical(BundleFrame, bytes);
}
