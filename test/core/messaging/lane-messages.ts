// The world of lane-world.ts with real messages: outboxes as blocks commit them, inboxes as leaders choose and voters check them.
import assert from 'node:assert/strict';
import { CarriedBundleIndex } from '../../../src/core/messaging/bundle-index.ts';
import type { HeldBundle } from '../../../src/core/messaging/held-bundle.ts';
import { verifyBundle } from '../../../src/core/messaging/held-bundle.ts';
import { verifyInbox } from '../../../src/core/messaging/inbox.ts';
import { type BundleName, bundleNameOf, type LaneView } from '../../../src/core/messaging/lane-view.ts';
import { makeOutbox } from '../../../src/core/messaging/outbox.ts';
import { placementOf } from '../../../src/core/messaging/placement.ts';
import { selectInbox } from '../../../src/core/messaging/select-inbox.ts';
import { HELD_BEACON_BLOCKS, skippedThoughHeld } from '../../../src/core/messaging/skipped-item.ts';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import type { Message } from '../../../src/core/protocol/message.ts';
import { decodeMessage } from '../../../src/core/protocol/message-codec.ts';
import type { LaneMachine } from './lane-model.ts';
import { parentCursorsOf, take, type World, type WorldMessage, type WorldOutbox } from './lane-world.ts';
import { messageTo } from './messages.ts';

const CALM_SHARE = { inboxGasShare: 8_000_000, inboxBytesShare: 512 * 1024 };
let salt = 0;

/** See the file's head. */
export const REAL_MESSAGES: LaneMachine = {
  emit(source, height, families, layout, draw) {
    const emitted = families.map((family) => messageTo(family, salt++, { gasLimit: draw(20_000), data: new Uint8Array(draw(400)) }));
    const outbox = makeOutbox(source, height, emitted, layout);
    const messageOf = (encoded: Uint8Array): WorldMessage => {
      const message = messageIn(encoded);
      return { source, height, placement: placementOf(message), name: bytesToHex(message.id), position: 0, isTaken: false, isVoid: false };
    };
    return {
      source,
      height,
      summary: outbox.summary,
      bundles: outbox.bundles.map(({ messages }) => messages.map(messageOf)),
      indexes: outbox.bundles.map(({ index }) => index),
      held: outbox.bundles,
      anchor: undefined,
    };
  },

  read(world, record, reference, isCalm) {
    const { draw } = world;
    const { shard } = record;
    const view = world.views[reference] as LaneView;
    const parentCursors = parentCursorsOf(record);
    const share = isCalm ? CALM_SHARE : { inboxGasShare: draw(80_000), inboxBytesShare: draw(8_000) };
    const held = heldBundles(world, view, isCalm);
    const body = selectInbox({ shard, parentCursors, view, share, held });
    const verdict = verifyInbox({ shard, parentCursors, view, body, share });
    assert.ok(verdict.ok, verdict.ok ? '' : `${verdict.reason}: ${verdict.detail}`);
    const since = new Map([...held].map(([name, bundle]) => [name, { bundle, heldSince: 0 }]));
    const input = { shard, view, share, held: since, newestBeaconHeight: HELD_BEACON_BLOCKS };
    assert.equal(skippedThoughHeld(verdict.value, input), undefined, 'a leader that takes what it may is not refused');
    const taken = verdict.value.messages.map((message) => worldMessage(world, message));
    for (const message of taken) take(world, message, shard, reference);
    const carried = body.bundleIndexes.map((bytes) => bundleNameOf(CarriedBundleIndex.deserialize(bytes)));
    return { taken, cursors: verdict.value.cursors, carried: new Set(carried) };
  },
};

function messageIn(encoded: Uint8Array): Message {
  const verdict = decodeMessage(encoded);
  assert.ok(verdict.ok);
  return verdict.value;
}

function worldMessage(world: World, { id }: Message): WorldMessage {
  const name = bytesToHex(id);
  const found = [...world.messages.values()].flat().find((message) => message.name === name);
  assert.ok(found !== undefined, 'only what was sent arrives');
  return found;
}

// As they would come from the source's committee: messages and a branch, checked against the anchored summary.
function heldBundles(world: World, view: LaneView, isCalm: boolean): ReadonlyMap<BundleName, HeldBundle> {
  const held = new Map<BundleName, HeldBundle>();
  for (const { shard, outboxes } of view.sources) {
    for (const { height, summary } of outboxes) {
      for (const { place, messages, branch } of (world.outboxes.get(`${shard}/${height}`) as WorldOutbox).held) {
        if (!isCalm && world.draw(6) === 0) continue;
        const bundle = verifyBundle(place, messages, branch, summary);
        assert.ok(bundle.ok);
        held.set(bundleNameOf(place), bundle.value);
      }
    }
  }
  return held;
}
