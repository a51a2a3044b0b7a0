// What a block sends to other shards, and what of it a receiver accepts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifyBundle } from '../../../src/core/messaging/held-bundle.ts';
import { decodeInboxItem, InboxItem, makeInboxItem, verifyInboxItem } from '../../../src/core/messaging/inbox-item.ts';
import { makeOutbox } from '../../../src/core/messaging/outbox.ts';
import { MESSAGE_GAS } from '../../../src/core/protocol/gas.ts';
import { decodeMessage, encodeMessage } from '../../../src/core/protocol/message-codec.ts';
import { EMPTY_OUTBOX, outboxRootOf } from '../../../src/core/protocol/outbox.ts';
import { familiesIn, messageTo } from './messages.ts';

const LAYOUT = new Set([4, 5, 3]);
const [left] = familiesIn(4, 1) as [Uint8Array];
const [middle, other] = familiesIn(5, 2) as [Uint8Array, Uint8Array];
const emitted = [messageTo(middle, 1), messageTo(left, 2), messageTo(other, 3, { gasLimit: 50 }), messageTo(left, 4)];
const outbox = makeOutbox(3, 9, emitted, LAYOUT);
const [first, second] = outbox.bundles;

describe('an outbox', () => {
  it('has one bundle for each destination, left to right, with what it weighs and in order of execution', () => {
    const weight = MESSAGE_GAS + 1_000;
    assert.deepEqual(outbox.summary.bundles, [
      { destination: 4, messageCount: 2, weight: 2 * weight },
      { destination: 5, messageCount: 2, weight: weight + MESSAGE_GAS + 50 },
    ]);
    assert.deepEqual(
      first?.messages,
      [emitted[1], emitted[3]].map((message) => message && encodeMessage(message)),
    );
    assert.deepEqual(outbox.root, outboxRootOf(outbox.summary));
  });

  it('of a block that sent nothing has no bundles and no root', () => {
    assert.deepEqual(makeOutbox(3, 9, [], LAYOUT), { summary: EMPTY_OUTBOX, root: new Uint8Array(32), bundles: [] });
  });

  it('holds nothing for its own shard', () => {
    assert.throws(() => makeOutbox(4, 9, emitted, LAYOUT), /own shard/);
  });
});

describe('a bundle from somebody else', () => {
  const place = { source: 3, height: 9, bundle: 1 };
  const messages = second?.messages ?? [];
  const branch = second?.branch ?? [];
  const reasonFor = (what: readonly Uint8Array[], where: Partial<typeof place> = {}, by = branch, summary = outbox.summary): string => {
    const verdict = verifyBundle({ ...place, ...where }, what, by, summary);
    return verdict.ok ? 'accepted' : verdict.reason;
  };

  it('is accepted if it is the one that was anchored, and can prove each message', () => {
    const verdict = verifyBundle(place, messages, branch, outbox.summary);
    assert.ok(verdict.ok);
    for (const index of messages.keys()) {
      const item = decodeInboxItem(makeInboxItem(verdict.value, index));
      assert.ok(item.ok);
      const proven = verifyInboxItem(item.value, outbox.summary);
      assert.deepEqual(proven, decodeMessage(messages[index] as Uint8Array));
    }
  });

  it('is refused with other messages, fewer, in another order, at another place or with another branch', () => {
    assert.equal(reasonFor([...messages].reverse()), 'wrong-index-root');
    assert.equal(reasonFor(messages.slice(1)), 'wrong-bundle-summary');
    assert.equal(reasonFor([messages[0] as Uint8Array, new Uint8Array(9)]), 'not-a-message');
    assert.equal(reasonFor(messages, { bundle: 0 }), 'wrong-index-root');
    assert.equal(reasonFor(messages, { bundle: 2 }), 'no-such-bundle');
    assert.equal(reasonFor(messages, {}, [new Uint8Array(32)]), 'wrong-index-root');
    assert.equal(reasonFor(messages, {}, [...branch, new Uint8Array(32)]), 'wrong-index-root');
  });

  it('is refused where the summary that its committee signed says other weights or places', () => {
    const saying = (change: object) => ({ ...outbox.summary, bundles: outbox.summary.bundles.map((bundle) => ({ ...bundle, ...change })) });
    assert.equal(reasonFor(messages, {}, branch, saying({ weight: 1 })), 'wrong-bundle-summary');
    assert.equal(reasonFor(messages, {}, branch, saying({ destination: 3 })), 'wrong-bundle-summary');
    assert.equal(reasonFor(messages, {}, branch, saying({ destination: 0, weight: outbox.summary.bundles[1]?.weight })), 'accepted');
  });
});

describe('an inbox item', () => {
  const bytes = makeInboxItem(second as NonNullable<typeof second>, 1);
  const item = InboxItem.deserialize(bytes);
  const isProven = (change: Partial<InboxItem>): boolean => verifyInboxItem({ ...item, ...change }, outbox.summary).ok;

  it('proves its message at its place and no other', () => {
    assert.ok(isProven({}));
    assert.ok(!isProven({ index: 0 }) && !isProven({ index: 2 }) && !isProven({ bundle: 0 }) && !isProven({ bundle: 9 }));
    assert.ok(!isProven({ message: encodeMessage(messageTo(middle, 5)) }) && !isProven({ message: new Uint8Array(3) }));
  });

  it('carries what does not follow from the lengths of the two lists only', () => {
    assert.deepEqual([item.entryBranch.length, item.bundleBranch.length], [1, 1]);
    assert.ok(!isProven({ entryBranch: [] }) && !isProven({ bundleBranch: [] }));
    assert.ok(!isProven({ entryBranch: [...item.entryBranch, new Uint8Array(32)] }));
  });

  it('of a message that stands alone carries no hashes at all', () => {
    const alone = makeOutbox(3, 9, emitted.slice(0, 1), LAYOUT).bundles[0];
    const { entryBranch, bundleBranch } = InboxItem.deserialize(makeInboxItem(alone as NonNullable<typeof alone>, 0));
    assert.deepEqual([entryBranch, bundleBranch], [[], []]);
  });
});
