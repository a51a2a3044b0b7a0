// Back-pressure (protocol, sections 5 and 10.8): how much is under way to a shard, and how much more new transactions may send there. Messages
// under way are never refused or held ⚠ (two full shards would wait for each other).
import type { ChainId, Height } from '../primitives/ids.ts';
import type { Cursor } from '../protocol/block.ts';
import type { BundleSummary } from '../protocol/outbox.ts';
import { intersects } from '../protocol/shard-id.ts';
import { type AnchoredOutbox, firstOutboxFrom, type LaneView } from './lane-view.ts';

/** A shard's queue may hold so many full inboxes before nobody may add to it. */
const INBOXES_QUEUED_MAX = 8;

/**
 * Weight of the messages anchored for a shard and not consumed, by its cursors at the header's own reference (cursors.ts,
 * `cursorsAtReference`). Summaries have the weight of whole bundles only, so of a bundle read in part the rest weighs as its share of the
 * messages, rounded up; a bundle wider than the shard counts with the messages for others that stand behind the cursor: rather too much than
 * too little.
 */
export function backlogOf(shard: ChainId, cursors: readonly Cursor[], view: LaneView): number {
  let backlog = 0;
  for (const source of view.sources) {
    const ofSource = cursors.filter((cursor) => cursor.source === source.shard);
    const from = ofSource.reduce((least, { height }) => Math.min(least, height), Number.MAX_SAFE_INTEGER);
    for (let at = firstOutboxFrom(source, from); at < source.outboxes.length; at++) {
      const outbox = source.outboxes[at] as AnchoredOutbox;
      if (outbox.height > source.lastAnchoredHeight) break;
      let before = 0;
      for (const bundle of outbox.summary.bundles) {
        if (intersects(bundle.destination, shard)) backlog += unreadWeight(bundle, before, outbox, ofSource);
        before += bundle.messageCount;
      }
    }
  }
  return backlog;
}

/** What a ration follows from. */
export interface RationTerms {
  readonly inboxGasShare: number;
  readonly transactionGasLimitMax: number;
  /** Of the destination. */
  readonly backlog: number;
  readonly listedSources: number;
  /** Whether it is the source's turn at the reference: `hasTurn`. */
  readonly hasTurn: boolean;
}

/**
 * The weight of new transactions that the blocks of one source with one reference may send to a shard with this backlog: an even share of the
 * room that its queue has, and for the source whose turn it is room for the largest transaction, as far as the queue has it.
 */
export function rationOf({ inboxGasShare, transactionGasLimitMax, backlog, listedSources, hasTurn }: RationTerms): number {
  const room = Math.max(0, inboxGasShare * INBOXES_QUEUED_MAX - backlog);
  const share = Math.floor(room / listedSources);
  return hasTurn ? Math.max(share, Math.min(room, transactionGasLimitMax)) : share;
}

/** Whether it is this source's turn where the reference has this height: each listed source has one in as many heights as there are sources. */
export function hasTurn(source: ChainId, referenceHeight: Height, sources: LaneView['sources']): boolean {
  return sources[referenceHeight % sources.length]?.shard === source;
}

// Of a bundle that starts behind so many messages of its outbox. What stands before all who still read it is read, or of nobody here.
function unreadWeight(bundle: BundleSummary, before: number, outbox: AnchoredOutbox, cursors: readonly Cursor[]): number {
  const readers = cursors.filter(({ prefix, height }) => intersects(prefix, bundle.destination) && height <= outbox.height);
  const unread = readers.map(({ height, index }) => (height < outbox.height ? bundle.messageCount : bundle.messageCount + before - index));
  const most = Math.min(Math.max(0, ...unread), bundle.messageCount);
  return Math.ceil((bundle.weight * most) / bundle.messageCount);
}
