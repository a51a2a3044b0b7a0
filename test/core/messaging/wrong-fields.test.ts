// What shards show each other, with any field wrong: inbox items and all of the message in them, the indexes of wide bundles, bundles as peers send
// them. Fields are found by walking the SSZ types, so a new one fails here until what refuses it is written down.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Type, ValueOf } from '@chainsafe/ssz';
import { CarriedBundleIndex } from '../../../src/core/messaging/bundle-index.ts';
import { type HeldBundle, makeCarriedIndex } from '../../../src/core/messaging/held-bundle.ts';
import { verifyInbox } from '../../../src/core/messaging/inbox.ts';
import { InboxItem, makeInboxItem } from '../../../src/core/messaging/inbox-item.ts';
import { type AnchoredOutbox, bundleNameOf } from '../../../src/core/messaging/lane-view.ts';
import { EncodedMessage } from '../../../src/core/protocol/message-codec.ts';
import { OutboxSummary } from '../../../src/core/protocol/outbox.ts';
import { mutationsOf } from '../../../src/simulation/adversaries/wrong-fields.ts';
import { readBundle } from '../../../src/sync/bundle-fetch.ts';
import { BundleFrame, encodeBundleFrame } from '../../../src/sync/bundle-protocol.ts';
import { sourceOf } from './anchored-lanes.ts';
import { familiesIn, messageTo } from './messages.ts';

const SHARD = 4;
const SHARE = { inboxGasShare: 8_000_000, inboxBytesShare: 512 * 1024 };
const [home, beside, there] = [4, 5, 7].map((shard) => familiesIn(shard, 1)[0] as Uint8Array) as [Uint8Array, Uint8Array, Uint8Array];
/** With something in each of its fields. */
const full = messageTo(home, 1, {
  kind: 'main-call',
  data: Uint8Array.of(1, 2, 3),
  travellingTipWei: 5n,
  creationNonce: 7n,
  accessList: [{ address: beside, storageKeys: [new Uint8Array(32).fill(9)] }],
  pointerFamily: there,
  replySelector: Uint8Array.of(1, 2, 3, 4),
});
// To the parts of 2 and to 7, and later, by another layout, to the whole of 2.
const { source, held } = sourceOf(6, 9, [
  { height: 4, layout: [4, 5, 6, 7], messages: [full, messageTo(home, 2), messageTo(beside, 3), messageTo(there, 4)] },
  { height: 6, layout: [2, 6, 7], messages: [messageTo(home, 5), messageTo(beside, 6), messageTo(there, 7)] },
]);
const bundleOf = (height: number): HeldBundle => held.get(bundleNameOf({ source: 6, height, bundle: 0 })) as HeldBundle;
const [narrow, wide] = [bundleOf(4), bundleOf(6)];
const items = [makeInboxItem(narrow, 0), makeInboxItem(narrow, 1), makeInboxItem(wide, 0)];
const index = makeCarriedIndex(wide);

function reasonOf(inbox: readonly Uint8Array[], bundleIndexes: readonly Uint8Array[] = [index]): string {
  const body = { inbox: [...inbox], bundleIndexes: [...bundleIndexes] };
  const verdict = verifyInbox({ shard: SHARD, parentCursors: [], view: { sources: [source] }, body, share: SHARE });
  return verdict.ok ? 'accepted' : verdict.reason;
}

/** What becomes of each encoding that differs from the right one in one field, and of those that are no encodings. */
function reasonsOf<T>(type: Type<T>, right: Uint8Array, reasonFor: (bytes: Uint8Array) => string): Readonly<Record<string, string>> {
  const cut = right.subarray(0, -1);
  const longer = Uint8Array.from([...right, 0]);
  const wrong = mutationsOf(type, type.deserialize(right)).map(({ path, value }) => [path, reasonFor(type.serialize(value))] as const);
  return Object.fromEntries([...wrong, ['cut', reasonFor(cut)], ['longer', reasonFor(longer)], ['nothing', reasonFor(new Uint8Array(0))]]);
}

const typed = <T>(type: unknown): Type<T> => type as Type<T>;

const WRONG_ITEMS: Readonly<Record<string, string>> = {
  source: 'item-not-anchored',
  height: 'item-not-anchored',
  bundle: 'wrong-proof',
  index: 'wrong-proof',
  message: 'wrong-proof',
  'entryBranch+': 'wrong-proof',
  'entryBranch-': 'wrong-proof',
  'entryBranch.0': 'wrong-proof',
  'bundleBranch+': 'wrong-proof',
  'bundleBranch-': 'wrong-proof',
  'bundleBranch.0': 'wrong-proof',
  cut: 'malformed-item',
  longer: 'malformed-item',
  nothing: 'malformed-item',
};
const WRONG_INDEXES: Readonly<Record<string, string>> = {
  source: 'index-not-anchored',
  height: 'index-not-anchored',
  bundle: 'wrong-index-root',
  'index.entries+': 'wrong-index-root',
  'index.entries-': 'wrong-index-root',
  'index.entries.0.messageHash': 'wrong-index-root',
  'index.entries.0.placement': 'wrong-index-root',
  'branch+': 'wrong-index-root',
  'branch-': 'wrong-index-root',
  'branch.0': 'wrong-index-root',
  cut: 'malformed-index',
  longer: 'malformed-index',
  nothing: 'malformed-index',
};
const WRONG_BUNDLES: Readonly<Record<string, string>> = {
  'place.source': 'unasked-bundle',
  'place.height': 'unasked-bundle',
  'place.bundle': 'unasked-bundle',
  'branch+': 'wrong-bundle',
  'branch-': 'wrong-bundle',
  'branch.0': 'wrong-bundle',
  'messages+': 'wrong-bundle',
  'messages-': 'wrong-bundle',
  'messages.0': 'wrong-bundle',
  cut: 'wrong-bundle', // Of its last message.
  longer: 'wrong-bundle',
  nothing: 'bad-frame',
};
/** Said by whoever anchored it: of another bundle it may say what it likes, as long as that is as many. */
const WRONG_SUMMARIES: Readonly<Record<string, string>> = {
  'bundles+': 'wrong-bundle',
  'bundles-': 'wrong-bundle',
  'bundles.0.destination': 'wrong-bundle',
  'bundles.0.messageCount': 'wrong-bundle',
  'bundles.0.weight': 'wrong-bundle',
  indexesRoot: 'wrong-bundle',
};

describe('an inbox item with one field wrong', () => {
  it('is refused, whichever it is', () => {
    assert.equal(reasonOf(items), 'accepted');
    const [first, ...rest] = items as [Uint8Array];
    assert.deepEqual(
      reasonsOf(typed<InboxItem>(InboxItem), first, (bytes) => reasonOf([bytes, ...rest])),
      WRONG_ITEMS,
    );
  });

  it('is refused for each field of its message', () => {
    const [first, ...rest] = items as [Uint8Array];
    const item = InboxItem.deserialize(first);
    const withMessage = (message: Uint8Array) => reasonOf([InboxItem.serialize({ ...item, message }), ...rest]);
    const reasons = reasonsOf(typed<ValueOf<typeof EncodedMessage>>(EncodedMessage), item.message, withMessage);
    assert.deepEqual(new Set(Object.values(reasons)), new Set(['wrong-proof']));
    for (const field of Object.keys(EncodedMessage.fields))
      assert.ok(
        Object.keys(reasons).some((path) => path.startsWith(field)),
        `${field} was made wrong`,
      );
  });
});

describe('the index of a wide bundle with one field wrong', () => {
  it('is refused, whichever it is', () => {
    assert.deepEqual(
      reasonsOf(typed<CarriedBundleIndex>(CarriedBundleIndex), index, (bytes) => reasonOf(items, [bytes])),
      WRONG_INDEXES,
    );
  });
});

describe('a bundle of a peer', () => {
  const outbox = source.outboxes[0] as AnchoredOutbox;
  const reasonFor = (frame: Uint8Array, summary: OutboxSummary = outbox.summary): string => {
    const wanted = { place: narrow.place, outbox: { ...outbox, summary } };
    const verdict = readBundle(frame, new Map([[bundleNameOf(narrow.place), { wanted }]]));
    return verdict.ok ? 'accepted' : verdict.reason;
  };
  const right = encodeBundleFrame(narrow);

  it('with one field wrong is refused, whichever it is', () => {
    assert.equal(reasonFor(right), 'accepted');
    assert.deepEqual(
      reasonsOf(typed<BundleFrame>(BundleFrame), right, (frame) => reasonFor(frame)),
      WRONG_BUNDLES,
    );
  });

  it('is refused where one field of what was anchored says otherwise', () => {
    const wrong = mutationsOf(typed<OutboxSummary>(OutboxSummary), outbox.summary);
    assert.deepEqual(Object.fromEntries(wrong.map(({ path, value }) => [path, reasonFor(right, value)])), WRONG_SUMMARIES);
  });
});
