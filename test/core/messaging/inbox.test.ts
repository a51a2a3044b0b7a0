// Inboxes: what a leader chooses, what a voter refuses, and which skipping it does not vote for.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CarriedBundleIndex } from '../../../src/core/messaging/bundle-index.ts';
import { type HeldBundle, makeCarriedIndex } from '../../../src/core/messaging/held-bundle.ts';
import { type InboxInput, type InboxShare, verifyInbox } from '../../../src/core/messaging/inbox.ts';
import { InboxItem, makeInboxItem } from '../../../src/core/messaging/inbox-item.ts';
import { bundleNameOf } from '../../../src/core/messaging/lane-view.ts';
import { selectInbox } from '../../../src/core/messaging/select-inbox.ts';
import { HELD_BEACON_BLOCKS, skippedThoughHeld } from '../../../src/core/messaging/skipped-item.ts';
import type { Cursor } from '../../../src/core/protocol/block.ts';
import { MESSAGE_GAS } from '../../../src/core/protocol/gas.ts';
import { cursorAt, sourceOf } from './anchored-lanes.ts';
import { familiesIn, messageTo } from './messages.ts';

const ROOM: InboxShare = { inboxGasShare: 8_000_000, inboxBytesShare: 512 * 1024 };
const SHARD = 4;
const [home, beside] = [familiesIn(4, 1)[0] as Uint8Array, familiesIn(5, 1)[0] as Uint8Array];

// Shard 3 sent two messages to shard 4, then some to the whole of 2. Shard 5 sent later, and was anchored first.
const three = sourceOf(3, 9, [
  { height: 4, layout: [4, 5, 3], messages: [messageTo(home, 1), messageTo(home, 2, { gasLimit: 70_000 })], anchoredAt: 10 },
  { height: 6, layout: [2, 3], messages: [messageTo(beside, 3), messageTo(home, 4), messageTo(beside, 5)], anchoredAt: 12 },
]);
const five = sourceOf(5, 9, [{ height: 8, layout: [4, 5, 3], messages: [messageTo(home, 6)], anchoredAt: 9 }]);
const view = { sources: [three.source, five.source] };
const held = new Map([...three.held, ...five.held]);
const bundleOf = (source: number, height: number, bundle = 0): HeldBundle =>
  held.get(bundleNameOf({ source, height, bundle })) as HeldBundle;
const item = (source: number, height: number, index = 0): Uint8Array => makeInboxItem(bundleOf(source, height), index);
const whole = [item(5, 8), item(3, 4), item(3, 4, 1), item(3, 6, 1)];
const wideIndex = makeCarriedIndex(bundleOf(3, 6));

const select = (change: Partial<Parameters<typeof selectInbox>[0]> = {}): InboxInput['body'] =>
  selectInbox({ shard: SHARD, parentCursors: [], view, share: ROOM, held, ...change });
const verify = (inbox: readonly Uint8Array[], bundleIndexes: readonly Uint8Array[] = [], change: Partial<InboxInput> = {}) =>
  verifyInbox({
    shard: SHARD,
    parentCursors: [],
    view,
    body: { inbox: [...inbox], bundleIndexes: [...bundleIndexes] },
    share: ROOM,
    ...change,
  });
const reasonFor = (...input: Parameters<typeof verify>): string => {
  const verdict = verify(...input);
  return verdict.ok ? 'accepted' : verdict.reason;
};
const cursorsAfter = (...input: Parameters<typeof verify>): readonly Cursor[] => {
  const verdict = verify(...input);
  assert.ok(verdict.ok);
  return verdict.value.cursors;
};
const named = (inbox: readonly Uint8Array[]): string[] =>
  inbox.map((bytes) => {
    const { source, height, index } = InboxItem.deserialize(bytes);
    return `${source}/${height}/${index}`;
  });

describe('a leader takes', () => {
  it('all that it holds, by the order of anchors, and shows the index of a wide bundle', () => {
    const body = select();
    assert.deepEqual(body, { inbox: whole, bundleIndexes: [wideIndex] });
    assert.deepEqual(cursorsAfter(body.inbox, body.bundleIndexes), [cursorAt(3, 4, 10), cursorAt(5, 4, 10)]);
  });

  it('of a lane nothing behind the first that does not fit in weight, and goes on with the others', () => {
    const share = { ...ROOM, inboxGasShare: 3 * (MESSAGE_GAS + 1_000) };
    assert.deepEqual(named(select({ share }).inbox), ['5/8/0', '3/4/0']);
    const later = { ...five.source, outboxes: five.source.outboxes.map((of) => ({ ...of, anchor: { ...of.anchor, beaconHeight: 11 } })) };
    assert.deepEqual(named(select({ share, view: { sources: [three.source, later] } }).inbox), ['3/4/0', '5/8/0']);
  });

  it('and in bytes, indexes counted', () => {
    const bytes = whole.reduce((sum, { length }) => sum + length, 0) + wideIndex.length;
    assert.equal(select({ share: { ...ROOM, inboxBytesShare: bytes } }).inbox.length, 4);
    assert.equal(select({ share: { ...ROOM, inboxBytesShare: bytes - 1 } }).inbox.length, 3);
    const withoutIndex = bytes - wideIndex.length - (whole[3]?.length ?? 0);
    assert.deepEqual(select({ share: { ...ROOM, inboxBytesShare: withoutIndex } }), { inbox: whole.slice(0, 3), bundleIndexes: [] });
  });

  it('nothing of a lane whose bundle it does not hold', () => {
    assert.deepEqual(named(select({ held: three.held }).inbox), ['3/4/0', '3/4/1', '3/6/1']);
    assert.deepEqual(named(select({ held: five.held }).inbox), ['5/8/0']);
  });

  it('what its parent left', () => {
    assert.deepEqual(named(select({ parentCursors: [cursorAt(3, 4, 4, 1), cursorAt(5, 4, 9)] }).inbox), ['3/4/1', '3/6/1']);
  });
});

describe('an inbox is refused', () => {
  it('where an item is not canonical, not anchored, or not proved', () => {
    assert.equal(reasonFor([new Uint8Array(9)]), 'malformed-item');
    const altered = (change: Partial<InboxItem>) => InboxItem.serialize({ ...InboxItem.deserialize(whole[0] as Uint8Array), ...change });
    assert.equal(reasonFor([altered({ source: 7 })]), 'item-not-anchored');
    assert.equal(reasonFor([altered({ height: 9 })]), 'item-not-anchored');
    assert.equal(reasonFor([altered({ index: 1 })]), 'wrong-proof');
    assert.equal(reasonFor([altered({ bundleBranch: [new Uint8Array(32)] })]), 'wrong-proof');
  });

  it('where an item is for another shard', () => assert.equal(reasonFor([item(3, 6, 0)], [wideIndex]), 'item-of-no-lane'));

  it('where an item is not the next of its lane, or was taken before', () => {
    assert.equal(reasonFor([item(3, 4, 1)]), 'item-not-next');
    assert.equal(reasonFor([item(3, 4)], [], { parentCursors: [cursorAt(3, 4, 4, 1), cursorAt(5, 4, 9)] }), 'item-not-next');
    assert.equal(reasonFor([...whole.slice(0, 3), item(3, 6, 1)]), 'item-not-next', 'a wide bundle without its index');
  });

  it('where the order of anchors is not kept', () => {
    assert.equal(reasonFor([item(3, 4), item(5, 8)]), 'item-out-of-order');
    assert.equal(reasonFor([item(5, 8), item(5, 8)]), 'item-out-of-order');
  });

  it('where it is more than the share', () => {
    const weight = 4 * MESSAGE_GAS + 3_000 + 70_000;
    const bytes = whole.reduce((sum, { length }) => sum + length, wideIndex.length);
    const within = (share: InboxShare) => reasonFor(whole, [wideIndex], { share });
    assert.equal(within({ inboxGasShare: weight, inboxBytesShare: bytes }), 'accepted');
    assert.equal(within({ inboxGasShare: weight - 1, inboxBytesShare: bytes }), 'inbox-too-heavy');
    assert.equal(within({ inboxGasShare: weight, inboxBytesShare: bytes - 1 }), 'inbox-too-long');
  });

  it('where an index is not canonical, not anchored, not the committed one, shown twice, not of a wide bundle, or not needed yet', () => {
    const altered = (change: object) => CarriedBundleIndex.serialize({ ...CarriedBundleIndex.deserialize(wideIndex), ...change });
    const { index } = bundleOf(3, 6);
    assert.equal(reasonFor(whole, [new Uint8Array(1)]), 'malformed-index');
    assert.equal(reasonFor(whole, [altered({ bundle: 1 })]), 'index-not-anchored');
    assert.equal(reasonFor(whole, [altered({ height: 5 })]), 'index-not-anchored');
    assert.equal(reasonFor(whole, [altered({ index: { entries: index.entries.toReversed() } })]), 'wrong-index-root');
    assert.equal(reasonFor(whole, [altered({ index: { entries: index.entries.slice(1) } })]), 'wrong-index-root');
    assert.equal(reasonFor(whole, [wideIndex, wideIndex]), 'index-out-of-order');
    assert.equal(reasonFor(whole, [makeCarriedIndex(bundleOf(3, 4)), wideIndex]), 'index-not-wide');
    assert.equal(reasonFor(whole.slice(0, 2), [wideIndex]), 'index-not-used');
    assert.equal(
      reasonFor([], [wideIndex], { parentCursors: [cursorAt(3, 4, 7), cursorAt(5, 4, 9)] }),
      'index-not-wide',
      'of what is passed',
    );
    assert.equal(reasonFor(whole.slice(0, 3), [wideIndex]), 'accepted', 'at the height that the cursor has reached');
  });
});

describe('a block that takes nothing', () => {
  it('still has cursors for all listed sources, at what is unread', () => {
    assert.deepEqual(cursorsAfter([]), [cursorAt(3, 4, 4), cursorAt(5, 4, 8)]);
  });

  it('steps over a wide bundle that has nothing for it only if it shows the index', () => {
    const none = sourceOf(3, 9, [{ height: 6, layout: [2, 3], messages: [messageTo(beside, 3)] }]);
    const sources = [none.source];
    const index = makeCarriedIndex([...none.held.values()][0] as HeldBundle);
    assert.deepEqual(cursorsAfter([], [], { view: { sources } }), [cursorAt(3, 4, 6)]);
    assert.deepEqual(cursorsAfter([], [index], { view: { sources } }), [cursorAt(3, 4, 10)]);
    assert.deepEqual(select({ view: { sources }, held: none.held }), { inbox: [], bundleIndexes: [index] });
  });
});

describe('between a source and what came of it', () => {
  // Shard 2 sent at height 3, then closed; its child 5 sent at height 8.
  const sent = (height: number, salt: number, anchoredAt: number) => [
    { height, layout: [4, 5, 3], messages: [messageTo(home, salt)], anchoredAt },
  ];
  const old = sourceOf(2, 5, [
    { height: 3, layout: [2, 6, 7], messages: [messageTo(familiesIn(6, 1)[0] as Uint8Array, 1)], anchoredAt: 4 },
  ]);
  const child = sourceOf(5, 9, [
    { height: 8, layout: [5, 4, 6, 7], messages: [messageTo(familiesIn(6, 1)[0] as Uint8Array, 2)], anchoredAt: 9 },
  ]);
  const reader = { shard: 6, view: { sources: [old.source, child.source] } };
  const both = new Map([...old.held, ...child.held]);
  const [first, second] = [...both.values()].map((bundle) => makeInboxItem(bundle, 0)) as [Uint8Array, Uint8Array];

  it('the lower height is read first', () => {
    assert.equal(reasonFor([first, second], [], reader), 'accepted');
    assert.equal(reasonFor([second], [], reader), 'item-before-earlier');
    assert.deepEqual(select({ ...reader, held: child.held }).inbox, []);
    assert.deepEqual(select({ ...reader, held: both }).inbox, [first, second]);
  });

  it('and others are not waited for', () => {
    const stranger = sourceOf(7, 5, sent(3, 3, 4));
    const sources = [stranger.source, five.source];
    assert.equal(reasonFor([item(5, 8)], [], { view: { sources } }), 'accepted');
  });
});

describe('a voter', () => {
  const since = (heldSince: number) => new Map([...held].map(([name, bundle]) => [name, { bundle, heldSince }]));
  const skipped = (inbox: readonly Uint8Array[], indexes: readonly Uint8Array[] = [], heldFor = HELD_BEACON_BLOCKS, share = ROOM) => {
    const verdict = verify(inbox, indexes, { share });
    assert.ok(verdict.ok);
    const place = skippedThoughHeld(verdict.value, { shard: SHARD, view, share, held: since(30), newestBeaconHeight: 30 + heldFor });
    return place === undefined ? 'none' : `${place.source}/${place.height}`;
  };

  it('misses an item that it has held for 8 beacon blocks, and no sooner', () => {
    assert.equal(skipped(whole, [wideIndex]), 'none');
    assert.equal(skipped([]), '3/4');
    assert.equal(skipped([], [], HELD_BEACON_BLOCKS - 1), 'none');
    assert.equal(skipped(whole.slice(1), [wideIndex]), '5/8');
  });

  it('misses the index of a wide bundle too', () => assert.equal(skipped(whole.slice(0, 3)), '3/6'));

  it('misses nothing where there was no room, whatever was taken behind it', () => {
    const light = 2 * (MESSAGE_GAS + 1_000);
    assert.equal(skipped(whole.slice(0, 2), [], HELD_BEACON_BLOCKS, { ...ROOM, inboxGasShare: light }), 'none');
    const heavy = light + MESSAGE_GAS + 70_000;
    assert.equal(skipped(whole.slice(0, 2), [], HELD_BEACON_BLOCKS, { ...ROOM, inboxGasShare: heavy }), '3/4');
    assert.equal(skipped(whole.slice(1, 2), [], HELD_BEACON_BLOCKS, { ...ROOM, inboxGasShare: MESSAGE_GAS + 1_000 }), '5/8');
    const bytes = whole.slice(0, 3).reduce((sum, { length }) => sum + length, 0);
    assert.equal(skipped(whole.slice(0, 3), [], HELD_BEACON_BLOCKS, { ...ROOM, inboxBytesShare: bytes }), 'none');
  });
});
