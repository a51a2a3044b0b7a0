// What a shard has to fetch before it can take its inbox (protocol, section 5, "Lanes"): the bundles that are anchored at a reference, that its
// cursors have not passed and that it does not hold. Of a bundle that is wider than the cursor's prefix only the bundle itself says whether
// anything in it is for this shard, so it is wanted as well: its index has to be shown to step over it.
import type { ChainId, Height } from '../primitives/ids.ts';
import type { Cursor } from '../protocol/block.ts';
import type { BundleSummary } from '../protocol/outbox.ts';
import { intersects } from '../protocol/shard-id.ts';
import { cursorsAtReference } from './cursors.ts';
import type { InboxInput } from './inbox.ts';
import {
  type AnchoredOutbox,
  type BundleName,
  type BundlePlace,
  bundleNameOf,
  firstOutboxFrom,
  type LaneSource,
  lastKnownHeight,
  sourceIn,
} from './lane-view.ts';
import { compareTakeKeys, type TakeKey } from './lanes.ts';
import { mayForgetBundle, type RecordCursors } from './retention.ts';

/** Bundles that one shard is after at once: those that its next blocks take. The rest is wanted when these are there. */
export const WANTED_BUNDLES_MAX = 1_024;

/** A bundle, and what it must be: the outbox as the beacon anchored it. */
export interface WantedBundle {
  readonly place: BundlePlace;
  readonly outbox: AnchoredOutbox;
}

/** From where a shard reads on, and what it has. */
export interface WantedInput extends Pick<InboxInput, 'shard' | 'parentCursors' | 'view'> {
  readonly held: Pick<ReadonlyMap<BundleName, unknown>, 'has'>;
}

/** In the order in which they are taken, the first so many. See the file's head. */
export function wantedBundles({ shard, parentCursors, view, held }: WantedInput): readonly WantedBundle[] {
  const wanted = new Map<BundleName, WantedBundle>();
  for (const cursor of cursorsAtReference(parentCursors, shard, view)) {
    const source = sourceIn(view, cursor.source);
    if (source === undefined) continue;
    for (const found of unreadBundles(source, cursor)) {
      const name = bundleNameOf(found.place);
      if (!held.has(name)) wanted.set(name, found);
    }
  }
  return [...wanted.values()].sort((a, b) => compareTakeKeys(keyOf(a), keyOf(b))).slice(0, WANTED_BUNDLES_MAX);
}

/**
 * What a source sent that somebody has still to read, and is not held: whoever enters the source's committee holds it too before he serves, for those who
 * left need not be there any more.
 */
export function undeliveredBundles(
  source: LaneSource,
  readers: readonly RecordCursors[],
  held: WantedInput['held'],
): readonly WantedBundle[] {
  const wanted: WantedBundle[] = [];
  const end = lastKnownHeight(source);
  for (let at = firstOutboxFrom(source, lowestRead(source, readers)); at < source.outboxes.length; at++) {
    const outbox = source.outboxes[at] as AnchoredOutbox;
    const { height, summary } = outbox;
    if (height > end || wanted.length >= WANTED_BUNDLES_MAX) break;
    for (const [bundle, { destination }] of summary.bundles.entries()) {
      const place = { source: source.shard, height, bundle };
      if (!held.has(bundleNameOf(place)) && !mayForgetBundle(source.shard, height, destination, readers)) wanted.push({ place, outbox });
    }
  }
  return wanted.slice(0, WANTED_BUNDLES_MAX);
}

// Below it everybody has read everything; who has no cursor yet begins at the source's start.
function lowestRead({ shard, startHeight }: LaneSource, readers: readonly RecordCursors[]): Height {
  let lowest = Number.MAX_SAFE_INTEGER;
  for (const { cursors } of readers) {
    const own = cursors.filter(({ source }) => source === shard);
    if (own.length === 0) return startHeight;
    for (const { height } of own) lowest = Math.min(lowest, height);
  }
  return lowest;
}

function* unreadBundles(source: LaneSource, cursor: Cursor): Generator<WantedBundle> {
  const end = lastKnownHeight(source);
  for (let at = firstOutboxFrom(source, cursor.height); at < source.outboxes.length; at++) {
    const outbox = source.outboxes[at] as AnchoredOutbox;
    if (outbox.height > end) return;
    const { height } = outbox;
    let before = 0;
    for (const [bundle, summary] of outbox.summary.bundles.entries()) {
      before += summary.messageCount;
      const isPassed = height === cursor.height && before <= cursor.index;
      if (!isPassed && isFor(cursor.prefix, summary)) yield { place: { source: source.shard, height, bundle }, outbox };
    }
  }
}

function isFor(prefix: ChainId, { destination }: BundleSummary): boolean {
  return intersects(destination, prefix);
}

function keyOf({ outbox: { anchor }, place: { bundle } }: WantedBundle): TakeKey {
  return { ...anchor, bundle, index: 0 };
}
