// Replays a trace of the formal model of handover against the lanes of src/core/messaging: of each block that a shard makes, the outbox, what a
// leader takes of the inbox and what a voter finds it comes to; of each beacon block the cursors of new records and which retired sources
// stay listed. The model's coins are messages of equal weight, so room for so many messages is a share of so much weight.
import assert from 'node:assert/strict';
import { joinCursors, narrowCursors } from '../../src/core/messaging/cursors.ts';
import type { HeldBundle } from '../../src/core/messaging/held-bundle.ts';
import { verifyInbox } from '../../src/core/messaging/inbox.ts';
import { type BundleName, bundleNameOf, type LaneView } from '../../src/core/messaging/lane-view.ts';
import { weightOf } from '../../src/core/messaging/message-weight.ts';
import { makeOutbox, type Outbox } from '../../src/core/messaging/outbox.ts';
import { mayUnlist } from '../../src/core/messaging/retention.ts';
import { selectInbox } from '../../src/core/messaging/select-inbox.ts';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import type { Cursor } from '../../src/core/protocol/block.ts';
import type { Message } from '../../src/core/protocol/message.ts';
import { comparePlaces, intersects } from '../../src/core/protocol/shard-id.ts';
import { familiesIn, messageTo } from '../core/messaging/messages.ts';
import type { HandoverBlock, HandoverCursors, HandoverEntry, HandoverInstance, HandoverMessage, HandoverState } from './handover-trace.ts';

const FAMILIES: ReadonlyMap<number, Uint8Array> = new Map([3, 4, 5].map((leaf) => [leaf, familiesIn(leaf, 1)[0] as Uint8Array]));
/** Of every message alike. */
const WEIGHT = weightOf(messageTo(FAMILIES.get(3) as Uint8Array, 1));
const BYTES = 2 ** 20;

/** How often a trace came to what the replay compares. */
export interface ReplayCounts {
  blocks: number;
  taken: number;
  wideIndexes: number;
  records: number;
  retired: number;
}

/** Replays the trace; throws where model and lanes part. */
export function replayHandover(trace: readonly HandoverState[], counts: ReplayCounts): void {
  // By the id of the first message, which is in no other outbox.
  const outboxes = new Map<number, Outbox>();
  for (const [index, state] of trace.entries()) {
    if (index === 0) continue;
    if (state.last.names.includes('propose')) followBlock(state, outboxes, counts);
    if (state.last.names.includes('beacon')) followBeacon(trace[index - 1] as HandoverState, state, counts);
  }
}

function followBlock(state: HandoverState, outboxes: Map<number, Outbox>, counts: ReplayCounts): void {
  const { record, held, room } = state.last;
  const instance = state.instances[record] as HandoverInstance;
  const block = instance.blocks.at(-1) as HandoverBlock;
  if (block.outbox.length > 0) outboxes.set(block.outbox[0]?.id ?? 0, sentBy(state, instance, block));
  const view = viewAt(state, block.reference, outboxes);
  const parentCursors = cursorsIn((instance.blocks.at(-2)?.after ?? instance.start).cursors);
  const share = { inboxGasShare: room * WEIGHT, inboxBytesShare: BYTES };
  const input = { shard: instance.shard, parentCursors, view, share };
  const isClosing = block.role === 'closing';
  const body = isClosing
    ? { inbox: [], bundleIndexes: [] }
    : selectInbox({ ...input, held: bundlesHeld(state, block.reference, held, outboxes) });
  const verdict = verifyInbox({ ...input, body });
  assert.ok(verdict.ok, verdict.ok ? '' : `${verdict.reason}: ${verdict.detail}`);
  const { messages, cursors } = verdict.value;
  assert.deepEqual(messages.map(nameOf), block.taken.map(realMessage).map(nameOf), 'other messages are taken');
  assert.deepEqual(cursors, cursorsIn(block.after.cursors), 'the block leaves other cursors');
  counts.blocks++;
  counts.taken += messages.length;
  counts.wideIndexes += body.bundleIndexes.length;
}

/** The outbox of the new block, which must have the model's bundles. */
function sentBy({ layouts }: HandoverState, { shard, epoch, height, blocks }: HandoverInstance, { outbox }: HandoverBlock): Outbox {
  const emitted = [...outbox].sort((a, b) => a.id - b.id).map(realMessage);
  const real = makeOutbox(shard, height + blocks.length, emitted, new Set(layouts[epoch]));
  const destinations = real.summary.bundles.flatMap(({ destination, messageCount }) => Array(messageCount).fill(destination));
  assert.deepEqual(
    destinations,
    outbox.map(({ destination }) => destination),
    'the outbox has other bundles',
  );
  return real;
}

function viewAt({ beaconStates }: HandoverState, reference: number, sent: ReadonlyMap<number, Outbox>): LaneView {
  const listed = [...(beaconStates[reference]?.sources ?? [])].sort(([a], [b]) => a - b);
  const sources = listed.map(([shard, { startHeight, anchoredHeight, outboxes }]) => ({
    shard,
    startHeight,
    lastAnchoredHeight: anchoredHeight,
    outboxes: outboxes.map(({ height, beaconHeight, operation, messages }) => ({
      height,
      anchor: { beaconHeight, operationIndex: operation, headerHeight: height + 1 },
      summary: outboxOf(messages, sent).summary,
    })),
  }));
  return { sources };
}

function bundlesHeld(
  { beaconStates }: HandoverState,
  reference: number,
  held: readonly number[],
  sent: ReadonlyMap<number, Outbox>,
): ReadonlyMap<BundleName, HeldBundle> {
  const sources = beaconStates[reference]?.sources ?? [];
  const outboxes = sources.flatMap(([shard, source]) => (held.includes(shard) ? source.outboxes : []));
  return new Map(
    outboxes.flatMap(({ messages }) => outboxOf(messages, sent).bundles.map((bundle) => [bundleNameOf(bundle.place), bundle])),
  );
}

function outboxOf(messages: readonly HandoverMessage[], sent: ReadonlyMap<number, Outbox>): Outbox {
  const outbox = sent.get(messages[0]?.id ?? 0);
  assert.ok(outbox !== undefined, 'what is anchored was sent');
  return outbox;
}

function followBeacon(before: HandoverState, state: HandoverState, counts: ReplayCounts): void {
  const crosslinked = new Map(state.last.counts);
  const entries = (before.beaconStates.at(-1)?.records ?? []).map(({ record, linked }) => ({
    record,
    linked: linked + (crosslinked.get(record) ?? 0),
  }));
  for (const { shard, start } of state.instances.slice(before.instances.length)) {
    const parts = entries.filter(({ record }) => intersects(shardOf(state, record), shard));
    const joined = joinCursors(parts.map((part) => narrowCursors(committedBy(state, part), shard)));
    assert.deepEqual(joined, cursorsIn(start.cursors), `the record of shard ${shard} begins with other cursors`);
    counts.records++;
  }
  const after = state.beaconStates.at(-1);
  const readers = (after?.records ?? []).map((entry) => ({ shard: shardOf(state, entry.record), cursors: committedBy(state, entry) }));
  const listed = new Set(after?.sources.map(([shard]) => shard));
  for (const [shard, { lastBundleHeight }] of before.beaconStates.at(-1)?.sources ?? []) {
    if (readers.some((reader) => reader.shard === shard)) continue;
    const last = Math.max(lastBundleHeight, ...entries.map((entry) => lastBundleOf(state, entry, shard)));
    assert.equal(listed.has(shard), !mayUnlist(shard, last, readers), `source ${shard} is listed, or is not`);
    counts.retired++;
  }
}

function shardOf({ instances }: HandoverState, record: number): number {
  return (instances[record] as HandoverInstance).shard;
}

/** The cursors that the last crosslinked header commits: those after its parent. */
function committedBy({ instances }: HandoverState, { record, linked }: HandoverEntry): readonly Cursor[] {
  const { start, blocks } = instances[record] as HandoverInstance;
  return cursorsIn((blocks[linked - 2]?.after ?? start).cursors);
}

/** Height of the shard's last bundle that the crosslinked headers of a record anchor; 0 where there is none, or the record is another shard's. */
function lastBundleOf({ instances }: HandoverState, { record, linked }: HandoverEntry, shard: number): number {
  const { shard: own, height, blocks } = instances[record] as HandoverInstance;
  const last = own === shard ? blocks.slice(0, Math.max(0, linked - 1)).findLastIndex(({ outbox }) => outbox.length > 0) : -1;
  return last < 0 ? 0 : height + last + 1;
}

function cursorsIn(cursors: HandoverCursors): readonly Cursor[] {
  const real = cursors.map(([[source, prefix], { height, index }]): Cursor => ({ source, prefix, height, index }));
  return real.sort((a, b) => a.source - b.source || comparePlaces(a.prefix, b.prefix));
}

function realMessage({ id, to }: HandoverMessage): Message {
  return messageTo(FAMILIES.get(to) as Uint8Array, id);
}

function nameOf({ id }: Message): string {
  return bytesToHex(id);
}
