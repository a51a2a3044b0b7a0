// What nodes ask each other for that do not follow the same shards, and what they answer: states, bundles, pointers, addresses.
import assert from 'node:assert/strict';
import { type BundleName, bundleNameOf } from '../../../src/core/messaging/lane-view.ts';
import { makeOutbox } from '../../../src/core/messaging/outbox.ts';
import type { WantedBundle } from '../../../src/core/messaging/wanted-bundles.ts';
import { compareBytes } from '../../../src/core/primitives/bytes.ts';
import { decodeAddressRecord, encodeAddressRecord, isAddressText, SignedAddressRecord } from '../../../src/core/protocol/address-record.ts';
import { decodeStateChunk, StateChunk } from '../../../src/core/state/state-chunk.ts';
import { WHOLE_TREE } from '../../../src/core/state/subtree.ts';
import { packMessages, unpackMessages } from '../../../src/network/coalesce.ts';
import type { SeededRandom } from '../../../src/simulation/random.ts';
import { readBundle } from '../../../src/sync/bundle-fetch.ts';
import {
  BundleFrame,
  BundlesRequest,
  decodeBundleFrame,
  decodeBundlesRequest,
  encodeBundleFrame,
  encodeBundlesRequest,
} from '../../../src/sync/bundle-protocol.ts';
import { decodePointersRequest, encodePointersRequest } from '../../../src/sync/pointer-protocol.ts';
import { readStateAnswer } from '../../../src/sync/state-answer.ts';
import {
  ANSWER_CHUNKS_MAX,
  decodeStateFrame,
  decodeStateRequest,
  encodeStateFrame,
  encodeStateRequest,
  type StateAnswer,
} from '../../../src/sync/state-protocol.ts';
import { familiesIn, messageTo } from '../../core/messaging/messages.ts';
import { type FuzzTarget, judgeCanonical, refusal } from '../target.ts';
import { chunkOf } from './shard-targets.ts';
import { bytesOf, sszValue } from './values.ts';

const EXECUTIONS = 1_000;
const FRAMES_MAX = 16;

// Shard 3 sends to both halves of 2; what is asked for is for the left one.
const outboxes = [5, 6].map((height) =>
  makeOutbox(
    3,
    height,
    [...familiesIn(4, 3), ...familiesIn(5, 2)].map((family, n) => messageTo(family, 10 * height + n)),
    new Set([3, 4, 5]),
  ),
);
const asked = new Map<BundleName, { readonly wanted: WantedBundle }>(
  outboxes.map(({ summary }, at) => {
    const [height, anchor] = [5 + at, { beaconHeight: 9, operationIndex: at, headerHeight: 6 + at }];
    const wanted = { place: { source: 3, height, bundle: 0 }, outbox: { height, summary, anchor } };
    return [bundleNameOf(wanted.place), { wanted }];
  }),
);

/** See the file's head. */
export const TRANSFER_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'state-question',
    covers: ['sync/state-protocol#decodeStateRequest', 'sync/state-protocol#StateRequest'],
    executions: EXECUTIONS,
    generate(random) {
      const slot = random.chance(0.5) ? bytesOf(random, 32) : undefined;
      const after = random.chance(0.7) ? { key: bytesOf(random, 32), slot } : undefined;
      const name = { shard: random.integer(1, 2 ** 17), height: random.integer(0, 1_000), root: bytesOf(random, 32) };
      const encoded = encodeStateRequest(name, after);
      assert.deepEqual(decodeStateRequest(encoded), { ok: true, value: { name, after } });
      return encoded;
    },
    judge: (bytes) => judgeCanonical(bytes, decodeStateRequest(bytes), ({ name, after }) => encodeStateRequest(name, after)),
  },
  {
    name: 'state-frame',
    covers: ['sync/state-protocol#decodeStateFrame', 'sync/state-protocol#StateFrame'],
    executions: EXECUTIONS,
    generate: (random) => encodeStateFrame(someAnswer(random)),
    judge: (bytes) => judgeCanonical(bytes, decodeStateFrame(bytes), encodeStateFrame),
  },
  {
    name: 'state-answer',
    covers: ['sync/state-answer#readStateAnswer'],
    executions: EXECUTIONS,
    generate(random) {
      const chunk: StateAnswer = { kind: 'chunk', chunk: StateChunk.serialize(chunkOf(random)) };
      const last = someAnswer(random);
      return packMessages([chunk, ...(random.chance(0.5) ? [last] : [])].map(encodeStateFrame));
    },
    judge(bytes) {
      const frames = unpackMessages(bytes, FRAMES_MAX);
      if (!frames.ok) return refusal(frames.reason, frames.detail);
      const read = readStateAnswer(frames.value, WHOLE_TREE, { after: undefined, isLastShort: false });
      if (!read.ok) return refusal(read.reason, read.detail);
      if (read.value.kind !== 'leaves') return read.value.kind;
      const { chunks, hasEnded, progress } = read.value;
      assert.ok(chunks.length <= ANSWER_CHUNKS_MAX);
      const leaves = chunks.flatMap((chunk) => {
        const decoded = decodeStateChunk(chunk);
        assert.ok(decoded.ok, 'what is handed on is a chunk');
        return decoded.value.leaves;
      });
      for (const [at, { key }] of leaves.entries()) assert.ok(at === 0 || compareBytes(leaves[at - 1]?.key ?? key, key) <= 0);
      assert.deepEqual(progress.after?.key, leaves.at(-1)?.key);
      return `${chunks.length === 0 ? 'no ' : ''}leaves${hasEnded ? ', the last' : ''}`;
    },
  },
  {
    name: 'bundles-question',
    covers: ['sync/bundle-protocol#decodeBundlesRequest', 'sync/bundle-protocol#BundlesRequest'],
    executions: EXECUTIONS,
    generate(random) {
      const value = sszValue(BundlesRequest, random);
      const places = value.places.length === 0 ? [{ source: 1, height: 2, bundle: 3 }] : value.places;
      const encoded = encodeBundlesRequest(places);
      assert.deepEqual(decodeBundlesRequest(encoded), { ok: true, value: places });
      return encoded;
    },
    judge: (bytes) => judgeCanonical(bytes, decodeBundlesRequest(bytes), encodeBundlesRequest),
  },
  {
    name: 'bundle-answer',
    covers: ['sync/bundle-protocol#decodeBundleFrame', 'sync/bundle-protocol#BundleFrame', 'sync/bundle-fetch#readBundle'],
    executions: EXECUTIONS,
    generate: (random) => {
      const bundle = random.pick(random.pick(outboxes).bundles);
      return random.chance(0.8) ? encodeBundleFrame(bundle) : BundleFrame.serialize(sszValue(BundleFrame, random));
    },
    judge(bytes) {
      const label = judgeCanonical(bytes, decodeBundleFrame(bytes), (frame) => BundleFrame.serialize(frame));
      const read = readBundle(bytes, asked);
      if (!read.ok) return label === 'accepted' ? refusal(read.reason, read.detail) : label;
      const { place, bundle } = read.value;
      assert.deepEqual(bundle.messages, outboxes[place.height - 5]?.bundles[0]?.messages, 'a bundle has one content');
      return 'the bundle that was asked for';
    },
  },
  {
    name: 'pointers-question',
    covers: ['sync/pointer-protocol#decodePointersRequest', 'sync/pointer-protocol#PointersRequest'],
    executions: EXECUTIONS,
    generate(random) {
      const targets = Array.from({ length: random.integer(1, 4) }, () => bytesOf(random, 20));
      const question = { beaconHeight: random.integer(0, 1_000), targets };
      const encoded = encodePointersRequest(question);
      assert.deepEqual(decodePointersRequest(encoded), { ok: true, value: question });
      return encoded;
    },
    judge: (bytes) => judgeCanonical(bytes, decodePointersRequest(bytes), encodePointersRequest),
  },
  {
    name: 'address-record',
    covers: ['core/protocol/address-record#decodeAddressRecord', 'core/protocol/address-record#SignedAddressRecord'],
    executions: EXECUTIONS,
    generate(random) {
      const { record, signature } = sszValue(SignedAddressRecord, random);
      const addresses = Array.from({ length: random.integer(1, 4) }, (_unused, at) => `/ip4/192.0.2.${random.integer(0, 256)}/tcp/${at}`);
      const signed = { record: { ...record, addresses }, signature };
      const encoded = encodeAddressRecord(signed);
      assert.deepEqual(decodeAddressRecord(encoded), { ok: true, value: signed });
      return encoded;
    },
    judge(bytes) {
      const decoded = decodeAddressRecord(bytes);
      if (decoded.ok) assert.ok(decoded.value.record.addresses.length > 0 && decoded.value.record.addresses.every(isAddressText));
      return judgeCanonical(bytes, decoded, encodeAddressRecord);
    },
  },
];

function someAnswer(random: SeededRandom): StateAnswer {
  const kind = random.pick(['chunk', 'end', 'not-held', 'busy'] as const);
  return kind === 'chunk' ? { kind, chunk: bytesOf(random, random.integer(1, 80)) } : { kind };
}
