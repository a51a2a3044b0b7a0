// Sources with anchored outboxes, told in a few words, and the bundles that a reader holds of them.
import type { HeldBundle } from '../../../src/core/messaging/held-bundle.ts';
import { type AnchoredOutbox, type BundleName, bundleNameOf, type LaneSource } from '../../../src/core/messaging/lane-view.ts';
import { makeOutbox } from '../../../src/core/messaging/outbox.ts';
import type { Cursor } from '../../../src/core/protocol/block.ts';
import type { Message } from '../../../src/core/protocol/message.ts';

export interface Sent {
  readonly height: number;
  readonly layout: readonly number[];
  readonly messages: readonly Message[];
  /** Beacon height of the anchor; the block's own height where nothing is said. */
  readonly anchoredAt?: number;
}

/** A source that started at 0 and is anchored up to `lastAnchoredHeight`. */
export function sourceOf(
  shard: number,
  lastAnchoredHeight: number,
  sent: readonly Sent[],
  change: Partial<LaneSource> = {},
): { readonly source: LaneSource; readonly held: ReadonlyMap<BundleName, HeldBundle> } {
  const held = new Map<BundleName, HeldBundle>();
  const outboxes = sent.map(({ height, layout, messages, anchoredAt = height }): AnchoredOutbox => {
    const { bundles, summary } = makeOutbox(shard, height, messages, new Set(layout));
    for (const bundle of bundles) held.set(bundleNameOf(bundle.place), bundle);
    return { height, summary, anchor: { beaconHeight: anchoredAt, operationIndex: shard, headerHeight: height + 1 } };
  });
  return { source: { shard, startHeight: 0, lastAnchoredHeight, outboxes, ...change }, held };
}

export function cursorAt(source: number, prefix: number, height: number, index = 0): Cursor {
  return { source, prefix, height, index };
}
