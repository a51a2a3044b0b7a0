// Bundles of shards that a node does not follow (protocol, section 5, "Lanes"): fetched as its own shards want them, put on the shelf beside those of its
// own, and served to others from there, as long as anybody has still to read them.
import { type BundlePlace, bundleNameOf, sourceIn } from '../core/messaging/lane-view.ts';
import { undeliveredBundles, wantedBundles } from '../core/messaging/wanted-bundles.ts';
import type { ChainId } from '../core/primitives/ids.ts';
import type { Cursor } from '../core/protocol/block.ts';
import type { PeerName } from '../network/ports.ts';
import type { BeaconWindow } from '../runtime/beacon-window.ts';
import type { BundleShelf } from '../runtime/bundle-shelf.ts';
import { shelveBundles } from '../runtime/fetched-bundles.ts';
import { BundleFetch } from '../sync/bundle-fetch.ts';
import { serveBundles } from '../sync/bundle-server.ts';
import type { NodePorts } from './create-node.ts';

/** Weight of a request that no honest node sends. */
const BAD_REQUEST_WEIGHT = 10;

/** What the exchange needs of its node. */
export interface BundleExchangeOptions extends Pick<NodePorts, 'network' | 'clock' | 'logger'> {
  readonly shelf: BundleShelf;
  readonly window: Pick<BeaconWindow, 'newest' | 'viewAt'>;
  /** Peers that should hold what a shard sent. */
  readonly peersOf: (source: ChainId) => readonly PeerName[];
  /** Bundles have come: inboxes may have more. */
  readonly onBundles: () => void;
}

/** See the file's head. */
export class BundleExchange {
  readonly #options: BundleExchangeOptions;
  readonly #fetch: BundleFetch;

  constructor(options: BundleExchangeOptions) {
    this.#options = options;
    const { network, clock, shelf, window, onBundles } = options;
    this.#fetch = new BundleFetch({
      ...options,
      onBundles: (bundles) => {
        shelveBundles(shelf, bundles, window.newest.height);
        onBundles();
      },
    });
    serveBundles(network.request, {
      bundleAt: (place: BundlePlace) => shelf.held().get(bundleNameOf(place)),
      clock,
      onBadRequest: (peer, reason) => network.peers.misbehaved(peer, reason, BAD_REQUEST_WEIGHT),
    });
  }

  /** A beacon block is committed: what the shard, whose cursors are these, has to read and is not here is asked for, and what it sent that others have. */
  want(shard: ChainId, parentCursors: readonly Cursor[]): void {
    const { shelf, window } = this.#options;
    const view = window.viewAt(window.newest.height)?.lanes;
    if (view === undefined) return;
    const held = shelf.held();
    const readers = window.newest.records.map(({ record, progress: { cursors } }) => ({ shard: record.shard, cursors }));
    const own = sourceIn(view, shard);
    const sent = own === undefined ? [] : undeliveredBundles(own, readers, held);
    this.#fetch.want(shard, [...wantedBundles({ shard, parentCursors, view, held }), ...sent]);
  }

  /** The shard is run here no more. */
  forget(shard: ChainId): void {
    this.#fetch.want(shard, []);
  }

  stop(): void {
    this.#fetch.stop();
  }
}
