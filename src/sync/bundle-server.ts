// Serves bundles to shards that do not follow their source (protocol, section 5, "Lanes"): of what this node holds, own or fetched, as long as some
// shard has still to read it.
import type { HeldBundle } from '../core/messaging/held-bundle.ts';
import type { BundlePlace } from '../core/messaging/lane-view.ts';
import type { PeerName, Request } from '../network/ports.ts';
import type { Clock } from '../runtime/ports.ts';
import {
  BUNDLE_BYTES_MAX,
  BUNDLES_ANSWER_BYTES_MAX,
  BUNDLES_PROTOCOL,
  decodeBundlesRequest,
  encodeBundleFrame,
} from './bundle-protocol.ts';
import { type ByteRates, ByteRation } from './byte-ration.ts';

const MIB = 1024 * 1024;

/** Bundles are in memory: what it costs is to copy, compress and send them. */
const BUNDLE_RATES: ByteRates = {
  ofPeer: { perSecond: 4 * MIB, burst: 32 * MIB },
  inAll: { perSecond: 16 * MIB, burst: 128 * MIB },
};

/** What serving needs of the node. */
export interface BundleServerDependencies {
  /** The bundle at this place, if it is held with its anchor. */
  readonly bundleAt: (place: BundlePlace) => HeldBundle | undefined;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Told of each request that no honest node sends. */
  readonly onBadRequest: (peer: PeerName, reason: string) => void;
  readonly rates?: ByteRates;
}

/** Answers the bundles protocol. */
export function serveBundles(request: Request, dependencies: BundleServerDependencies): void {
  const { bundleAt, clock, onBadRequest, rates = BUNDLE_RATES } = dependencies;
  const ration = new ByteRation(clock, rates);
  request.handle(BUNDLES_PROTOCOL, (peer, body) => {
    const asked = decodeBundlesRequest(body);
    if (!asked.ok) {
      onBadRequest(peer, 'bad-bundles-request');
      return [];
    }
    return framesOf(asked.value, bundleAt, (bytes) => ration.admits(peer, bytes));
  });
}

function* framesOf(
  places: readonly BundlePlace[],
  bundleAt: BundleServerDependencies['bundleAt'],
  admits: (bytes: number) => boolean,
): Generator<Uint8Array> {
  let sent = 0;
  for (const place of places) {
    const bundle = bundleAt(place);
    if (bundle === undefined) continue;
    const frame = encodeBundleFrame(bundle);
    // Such a one cannot be sent by any node: who is to read it needs the blocks of its source.
    if (frame.length > BUNDLE_BYTES_MAX) continue;
    if (sent + frame.length > BUNDLES_ANSWER_BYTES_MAX || !admits(frame.length)) return;
    sent += frame.length;
    yield frame;
  }
}
