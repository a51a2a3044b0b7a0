// What a shard knows at its beacon reference about what is under way to it (protocol, section 5, "Lanes"; decision 013): the listed sources
// and the summaries of their anchored outboxes. The beacon state has it; the rules of the lanes are functions of it, of the parent's
// cursors and of the body, and of nothing that a node has seen besides.
import type { ChainId, Height } from '../primitives/ids.ts';
import type { OutboxSummary } from '../protocol/outbox.ts';

/** Where in the beacon chain an outbox became final: the order in which messages are taken. */
export interface Anchor {
  readonly beaconHeight: Height;
  /** Of the crosslink within its beacon block. */
  readonly operationIndex: number;
  /** Of the header that commits the execution. */
  readonly headerHeight: Height;
}

/** The outbox of one block, not empty. */
export interface AnchoredOutbox {
  /** Of the block that emitted it, not of the header that commits it. */
  readonly height: Height;
  readonly anchor: Anchor;
  readonly summary: OutboxSummary;
}

/** One listed source: a shard id with a start record, or retired and not yet read to its end by everybody. */
export interface LaneSource {
  readonly shard: ChainId;
  /**
   * Height of the record with which the shard id was listed: a new cursor starts behind it. Records that follow while it is listed do not
   * move it ⚠: between them it may have sent what a shard that was not there to see has not read.
   */
  readonly startHeight: Height;
  /** Up to here all that it sent is final and known: a height without an outbox sent nothing. */
  readonly lastAnchoredHeight: Height;
  /** By ascending height and, with it, anchor; at least all that some cursor has not passed. */
  readonly outboxes: readonly AnchoredOutbox[];
}

/** The sources listed at a reference, by ascending shard id. */
export interface LaneView {
  readonly sources: readonly LaneSource[];
}

/** Which bundle: by the block that emitted it and the bundle's position in the outbox. */
export interface BundlePlace {
  readonly source: ChainId;
  readonly height: Height;
  readonly bundle: number;
}

/** A bundle's name in Maps. */
export type BundleName = string;

/** See the type. */
export function bundleNameOf({ source, height, bundle }: BundlePlace): BundleName {
  return `${source}/${height}/${bundle}`;
}

/** The source with this id, if it is listed. */
export function sourceIn(view: LaneView, shard: ChainId): LaneSource | undefined {
  return view.sources.find((source) => source.shard === shard);
}

/** The outbox that the source's block of this height sent, if it sent one and that is anchored. */
export function outboxAt(source: LaneSource, height: Height): AnchoredOutbox | undefined {
  const outbox = source.outboxes[firstOutboxFrom(source, height)];
  return outbox?.height === height ? outbox : undefined;
}

/** Position of the first outbox at this height or above; the number of outboxes where there is none. */
export function firstOutboxFrom(source: LaneSource, height: Height): number {
  let low = 0;
  for (let high = source.outboxes.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if ((source.outboxes[middle] as AnchoredOutbox).height < height) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The last height over which a cursor may step: everything that was sent up to it is known. */
export function lastKnownHeight(source: LaneSource): Height {
  return Math.max(source.lastAnchoredHeight, source.startHeight);
}
