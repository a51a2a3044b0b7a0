// What shards show each other of their messages: each fact has one proof, so that of all bytes only those that an honest leader would have made
// pass against the summaries below.
import assert from 'node:assert/strict';
import { decodeBundleIndex, verifyBundleIndex } from '../../../src/core/messaging/bundle-index.ts';
import { type HeldBundle, makeCarriedIndex, verifyBundle } from '../../../src/core/messaging/held-bundle.ts';
import { type InboxInput, verifyInbox } from '../../../src/core/messaging/inbox.ts';
import { decodeInboxItem, makeInboxItem, verifyInboxItem } from '../../../src/core/messaging/inbox-item.ts';
import { bundleNameOf, type LaneView } from '../../../src/core/messaging/lane-view.ts';
import { makeOutbox } from '../../../src/core/messaging/outbox.ts';
import { selectInbox } from '../../../src/core/messaging/select-inbox.ts';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import { BlockBody, EMPTY_BODY } from '../../../src/core/protocol/block.ts';
import { decodeMessage, EncodedMessage, encodeMessage } from '../../../src/core/protocol/message-codec.ts';
import { decodeCanonical } from '../../../src/core/protocol/ssz.ts';
import { familiesIn, messageTo } from '../../core/messaging/messages.ts';
import { type FuzzTarget, judgeCanonical, refusal } from '../target.ts';
import { sszValue } from './values.ts';

const EXECUTIONS = 500;
const SHARE = { inboxGasShare: 40_000, inboxBytesShare: 16 * 1024 };

// Shard 3 sent when 2 was whole, and again when it was split; shard 4 reads.
const wide = makeOutbox(
  3,
  5,
  [0, 1, 2, 3].map((n) => messageTo(familiesIn(4 + (n % 2), 4)[n] as Uint8Array, n)),
  new Set([2, 3]),
);
const split = makeOutbox(
  3,
  7,
  familiesIn(2, 12).map((family, n) => messageTo(family, 10 + n)),
  new Set([4, 5, 3]),
);
const view: LaneView = {
  sources: [
    {
      shard: 3,
      startHeight: 0,
      lastAnchoredHeight: 9,
      outboxes: [
        { height: 5, anchor: { beaconHeight: 2, operationIndex: 0, headerHeight: 6 }, summary: wide.summary },
        { height: 7, anchor: { beaconHeight: 3, operationIndex: 1, headerHeight: 8 }, summary: split.summary },
      ],
    },
  ],
};
const held = new Map([...wide.bundles, ...split.bundles].map((bundle) => [bundleNameOf(bundle.place), bundle]));
const reader = { shard: 4, parentCursors: [], view, share: SHARE };
const itemsOf = (bundle: HeldBundle): Uint8Array[] => bundle.messages.map((_message, index) => makeInboxItem(bundle, index));
const ITEMS = split.bundles.flatMap(itemsOf);
const INDEXES = split.bundles.map(makeCarriedIndex);
const isOneOf = (known: readonly Uint8Array[], bytes: Uint8Array): boolean => known.map(bytesToHex).includes(bytesToHex(bytes));

/** See the file's head. */
export const LANE_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'message',
    covers: ['core/protocol/message-codec#decodeMessage', 'core/protocol/message-codec#EncodedMessage'],
    executions: EXECUTIONS,
    generate(random) {
      const value = { ...sszValue(EncodedMessage, random), kind: random.integer(1, 9), hop: random.integer(0, 65) };
      const encoded = EncodedMessage.serialize(value);
      assert.ok(decodeMessage(encoded).ok);
      return encoded;
    },
    judge: (bytes) => judgeCanonical(bytes, decodeMessage(bytes), encodeMessage),
  },
  {
    name: 'inbox-item',
    covers: [
      'core/messaging/inbox-item#InboxItem',
      'core/messaging/inbox-item#decodeInboxItem',
      'core/messaging/inbox-item#verifyInboxItem',
    ],
    executions: EXECUTIONS,
    generate: (random) => random.pick(ITEMS),
    judge(bytes) {
      const item = decodeInboxItem(bytes);
      if (!item.ok) return refusal(item.reason, item.detail);
      // Source and height say which summary is looked up, and are no part of the proof.
      const proven = verifyInboxItem(item.value, split.summary);
      if (!proven.ok) return refusal(proven.reason, proven.detail);
      const { source, height } = item.value;
      assert.ok(source !== 3 || height !== 7 || isOneOf(ITEMS, bytes), 'a message has one proof');
      return 'proven';
    },
  },
  {
    name: 'bundle-index',
    covers: [
      'core/messaging/bundle-index#CarriedBundleIndex',
      'core/messaging/bundle-index#decodeBundleIndex',
      'core/messaging/bundle-index#verifyBundleIndex',
    ],
    executions: EXECUTIONS,
    generate: (random) => random.pick(INDEXES),
    judge(bytes) {
      const carried = decodeBundleIndex(bytes);
      if (!carried.ok) return refusal(carried.reason, carried.detail);
      const proven = verifyBundleIndex(carried.value, split.summary);
      if (!proven.ok) return refusal(proven.reason, proven.detail);
      const { source, height } = carried.value;
      assert.ok(source !== 3 || height !== 7 || isOneOf(INDEXES, bytes), 'an index has one proof');
      return 'proven';
    },
  },
  {
    name: 'bundle',
    covers: ['core/messaging/held-bundle#verifyBundle'],
    executions: EXECUTIONS,
    generate(random) {
      const { messages, branch } = random.pick(split.bundles);
      return BlockBody.serialize({ ...EMPTY_BODY, inbox: [...messages], pointerProofs: [...branch] });
    },
    judge(bytes) {
      const parts = decodeCanonical(BlockBody, bytes);
      if (!parts.ok) return refusal(parts.reason, parts.detail);
      const { inbox, pointerProofs } = parts.value;
      const isBranch = pointerProofs.every(({ length }) => length === 32);
      const verdict = verifyBundle({ source: 3, height: 7, bundle: 0 }, inbox, isBranch ? pointerProofs : [], split.summary);
      if (!verdict.ok) return refusal(verdict.reason, verdict.detail);
      assert.deepEqual(verdict.value.messages, split.bundles[0]?.messages, 'a bundle has one content');
      return 'proven';
    },
  },
  {
    name: 'inbox',
    covers: ['core/messaging/inbox#verifyInbox'],
    executions: EXECUTIONS,
    generate(random) {
      const share = { inboxGasShare: random.integer(0, 60_000), inboxBytesShare: random.integer(0, 32 * 1024) };
      const some = new Map([...held].filter(() => random.chance(0.8)));
      const body = { ...EMPTY_BODY, ...selectInbox({ ...reader, share, held: some }) };
      return BlockBody.serialize(body);
    },
    judge(bytes) {
      const body = decodeCanonical(BlockBody, bytes);
      if (!body.ok) return refusal(body.reason, body.detail);
      const input: InboxInput = { ...reader, body: body.value };
      const verdict = verifyInbox(input);
      if (!verdict.ok) return refusal(verdict.reason, verdict.detail);
      const { messages, cursors } = verdict.value;
      assert.equal(messages.length, body.value.inbox.length);
      assert.equal(new Set(messages.map(({ id }) => bytesToHex(id))).size, messages.length, 'no message twice');
      assert.deepEqual(
        cursors.map(({ source, prefix }) => [source, prefix]),
        [[3, 4]],
      );
      return `takes ${messages.length}`;
    },
  },
];
