// Puts fetched bundles on the shelf (bundle-shelf.ts). What a node fetches of an outbox is the part that its shards read; the shelf keeps it
// with the whole summary, beside what it holds of the same outbox already, until all shards have read all of it.
import type { HeldBundle } from '../core/messaging/held-bundle.ts';
import { type AnchoredOutbox, bundleNameOf } from '../core/messaging/lane-view.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Height } from '../core/primitives/ids.ts';
import { outboxRootOf } from '../core/protocol/outbox.ts';
import type { BundleShelf } from './bundle-shelf.ts';

/** A bundle that was verified against its outbox. */
export interface ShelvedBundle {
  readonly bundle: HeldBundle;
  readonly outbox: Pick<AnchoredOutbox, 'height' | 'summary'>;
}

/** Bundles are held, with their anchors, since this beacon block is the newest known here. */
export function shelveBundles(shelf: BundleShelf, bundles: readonly ShelvedBundle[], beaconHeight: Height): void {
  const byOutbox = Map.groupBy(bundles, ({ bundle: { place } }) => `${place.source}/${place.height}`);
  for (const ofOutbox of byOutbox.values()) {
    const [first] = ofOutbox;
    invariant(first !== undefined, 'a group has a bundle');
    const { source, height } = first.bundle.place;
    // Own execution may have put it there before this node knew of the anchor.
    const { summary } = first.outbox;
    shelf.anchored(source, height, summary, beaconHeight);
    const held = shelf.held();
    const added = new Map(ofOutbox.map(({ bundle }) => [bundle.place.bundle, bundle]));
    const all = summary.bundles.flatMap(
      (_summary, bundle) => added.get(bundle) ?? held.get(bundleNameOf({ source, height, bundle })) ?? [],
    );
    shelf.put(source, height, { summary, root: outboxRootOf(summary), bundles: all }, 'in-memory', beaconHeight);
  }
}
