// What comes in by gossip: frames, compression, consensus messages and batches of transactions; and frames of streams.
import assert from 'node:assert/strict';
import type { Type } from '@chainsafe/ssz';
import { BATCH_BYTES_MAX, decodeTransactionBatch, encodeTransactionBatches } from '../../../src/core/mempool/gossip-batch.ts';
import { concatBytes } from '../../../src/core/primitives/bytes.ts';
import type { Verdict } from '../../../src/core/primitives/verdict.ts';
import { CertificateBundle, Proposal, Timeout, Vote } from '../../../src/core/protocol/vote.ts';
import { packMessages, unpackMessages } from '../../../src/network/coalesce.ts';
import { END_FRAME, encodeFrame, encodeLength, FrameSplitter, pack, unpack } from '../../../src/network/frame-codec.ts';
import { GossipMeter } from '../../../src/network/gossip-meter.ts';
import { type ConsensusMessage, decodeConsensusMessage, encodeConsensusMessage } from '../../../src/runtime/consensus-codec.ts';
import { FRAME_MESSAGES_MAX } from '../../../src/runtime/gossip-outbox.ts';
import type { SeededRandom } from '../../../src/simulation/random.ts';
import { assertSameBytes, type FuzzTarget, judgeCanonical, refusal } from '../target.ts';
import { bytesOf, messages, sszValue } from './values.ts';

/** Bound of a payload; small, so that inputs reach it. */
const PAYLOAD_BYTES_MAX = 8_192;
const FRAME_BYTES_MAX = 4_096;

const gossipFrame: FuzzTarget = {
  name: 'gossip-frame',
  covers: ['network/coalesce#unpackMessages'],
  executions: 20_000,
  generate(random) {
    const parts = messages(random, 6);
    const frame = packMessages(parts);
    const unpacked = unpackMessages(frame, FRAME_MESSAGES_MAX);
    assert.ok(unpacked.ok);
    assert.deepEqual(unpacked.value, parts);
    return frame;
  },
  judge: (bytes) => judgeCanonical(bytes, unpackMessages(bytes, FRAME_MESSAGES_MAX), packMessages),
};

const COMPRESSION_ZSTD = 1;

const packedPayload: FuzzTarget = {
  name: 'packed-payload',
  covers: ['network/frame-codec#unpack'],
  executions: 4_000,
  generate(random) {
    const payload = random.chance(0.5) ? bytesOf(random, random.integer(0, 200)) : repetitive(random);
    const packed = pack(payload);
    const unpacked = unpack(packed, PAYLOAD_BYTES_MAX);
    assert.ok(unpacked.ok);
    assertSameBytes(unpacked.value, payload, 'what is packed unpacks to the same');
    return packed;
  },
  judge(bytes) {
    const unpacked = unpack(bytes, PAYLOAD_BYTES_MAX);
    if (!unpacked.ok) return refusal(unpacked.reason, unpacked.detail);
    assert.ok(unpacked.value.length <= PAYLOAD_BYTES_MAX, 'a payload keeps to its bound');
    // zstd has many encodings of one payload, and none of them is ours to choose; but each is one frame and ends where it ends.
    if (bytes[0] !== COMPRESSION_ZSTD) {
      assertSameBytes(concatBytes(Uint8Array.of(0), unpacked.value), bytes, 'what is not compressed is there as it is');
      return 'plain';
    }
    assert.ok(!unpack(concatBytes(bytes, Uint8Array.of(0)), PAYLOAD_BYTES_MAX).ok, 'nothing may follow a compressed payload');
    return 'compressed';
  },
};

const streamFrames: FuzzTarget = {
  name: 'stream-frames',
  covers: ['network/frame-codec#FrameSplitter'],
  executions: 10_000,
  generate(random) {
    const payloads = messages(random, 4).filter((payload) => payload.length < FRAME_BYTES_MAX);
    const stream = concatBytes(...payloads.map(encodeFrame), END_FRAME);
    const { frames } = split(stream, stream.length);
    assert.deepEqual(
      frames.slice(0, -1).map((frame) => unpack(frame, FRAME_BYTES_MAX)),
      payloads.map((value) => ({ ok: true, value })),
    );
    return stream;
  },
  judge(bytes) {
    const whole = split(bytes, bytes.length);
    assert.deepEqual(split(bytes, 1), whole, 'how a stream is cut into chunks makes no difference');
    const again = concatBytes(...whole.frames.flatMap((frame) => [encodeLength(frame.length), frame]));
    assertSameBytes(again, bytes.subarray(0, again.length), 'frames re-encode to what was read of the stream');
    return `${whole.frames.length > 0 ? 'frames' : 'no frame'}, then ${whole.fault ?? 'more is awaited'}`;
  },
};

const gossipStream: FuzzTarget = {
  name: 'gossip-stream',
  covers: ['network/gossip-meter#GossipMeter'],
  executions: 10_000,
  generate(random) {
    const rpcs = Array.from({ length: random.integer(1, 4) }, () => {
      const fields = messages(random, 3).map((field) => [
        Uint8Array.of(random.pick([0x0a, 0x12, 0x1a])),
        encodeLength(field.length),
        field,
      ]);
      const rpc = concatBytes(...fields.flat());
      return concatBytes(encodeLength(rpc.length), rpc);
    });
    const stream = concatBytes(...rpcs);
    assert.ok(new GossipMeter(FRAME_BYTES_MAX * 4).feed(stream).ok, 'what gossipsub sends is a gossip stream');
    return stream;
  },
  judge(bytes) {
    const whole = new GossipMeter(FRAME_BYTES_MAX).feed(bytes);
    const meter = new GossipMeter(FRAME_BYTES_MAX);
    let items = 0;
    let fault: Verdict<number> | undefined;
    for (let at = 0; at < bytes.length && fault === undefined; at++) {
      const step = meter.feed(bytes.subarray(at, at + 1));
      if (step.ok) items += step.value;
      else fault = step;
    }
    assert.deepEqual(fault ?? { ok: true, value: items }, whole, 'how a stream is cut into chunks makes no difference');
    return whole.ok ? `${whole.value === 0 ? 'nothing' : 'items'} counted` : refusal(whole.reason, whole.detail);
  },
};

const consensusMessage: FuzzTarget = {
  name: 'consensus-message',
  covers: ['runtime/consensus-codec#decodeConsensusMessage'],
  executions: 3_000,
  generate(random) {
    const message = someMessage(random);
    const encoded = encodeConsensusMessage(message);
    const decoded = decodeConsensusMessage(encoded);
    assert.ok(decoded.ok);
    assert.deepEqual(decoded.value, message);
    return encoded;
  },
  judge: (bytes) => judgeCanonical(bytes, decodeConsensusMessage(bytes), encodeConsensusMessage),
};

const transactionBatch: FuzzTarget = {
  name: 'transaction-batch',
  covers: ['core/mempool/gossip-batch#decodeTransactionBatch'],
  executions: 8_000,
  generate(random) {
    const raws = [bytesOf(random, random.integer(0, 120)), ...messages(random, 5)];
    const [batch] = encodeTransactionBatches(raws);
    assert.ok(batch !== undefined);
    assert.deepEqual(decodeTransactionBatch(batch), { ok: true, value: raws });
    return batch;
  },
  judge: (bytes) => {
    assert.ok(bytes.length <= BATCH_BYTES_MAX);
    return judgeCanonical(bytes, decodeTransactionBatch(bytes), (raws) => concatBytes(...encodeTransactionBatches(raws)));
  },
};

/** See the file's head. */
export const WIRE_TARGETS: readonly FuzzTarget[] = [
  gossipFrame,
  packedPayload,
  streamFrames,
  gossipStream,
  consensusMessage,
  transactionBatch,
];

function repetitive(random: SeededRandom): Uint8Array {
  const word = bytesOf(random, random.integer(1, 60));
  return Uint8Array.from({ length: random.integer(4_096, PAYLOAD_BYTES_MAX) }, (_unused, at) => word[at % word.length] as number);
}

function someMessage(random: SeededRandom): ConsensusMessage {
  const of = <T>(type: Type<T>): T => sszValue(type, random);
  switch (random.integer(0, 5)) {
    case 0:
      return { kind: 'proposal', proposal: of(Proposal) };
    case 1:
      return { kind: 'vote', vote: of(Vote) };
    case 2:
      return { kind: 'commit-vote', vote: of(Vote) };
    case 3:
      return { kind: 'timeout', timeout: of(Timeout) };
    default:
      return { kind: 'certificates', certificates: of(CertificateBundle) };
  }
}

/** The frames of a stream that comes in chunks of so many bytes, and why it goes no further. */
function split(bytes: Uint8Array, chunkBytes: number): { readonly frames: readonly Uint8Array[]; readonly fault: string | undefined } {
  const splitter = new FrameSplitter(FRAME_BYTES_MAX);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += Math.max(1, chunkBytes)) {
    splitter.push(bytes.subarray(at, at + chunkBytes));
    for (;;) {
      const taken = splitter.take();
      if (!taken.ok) return { frames, fault: taken.reason };
      if (taken.value === undefined) break;
      frames.push(taken.value);
    }
  }
  return { frames, fault: undefined };
}
