// What an attacker says once it is connected: each mode is one way to speak libp2p badly. An attacker needs no key of the network
// and none of our code: it is a libp2p node with transport, noise and muxer, and then writes what it likes.
import { randomBytes } from 'node:crypto';
import type { Connection, Stream } from '@libp2p/interface';

const MIB = 1024 * 1024;
const GOSSIP = '/meshsub/1.2.0';
/** Messages of one frame of a flood. */
const FLOOD_MESSAGES = 200;
const OVERSIZED_BYTES = 20 * MIB;
/** What a bomb would grow to. */
export const BOMB_BYTES = 64 * MIB;

/** A message that somebody else made, and the topic that it is told on. */
export interface GivenMessage {
  readonly topic: string;
  readonly data: Uint8Array;
}

/** What an attack goes with. */
export interface Attack {
  readonly connection: Connection;
  /** Of gossip, or the protocols of requests. */
  readonly topics: readonly string[];
  /** Ends it. */
  readonly stop: AbortSignal;
  /** For the mode that says them. */
  readonly given: readonly GivenMessage[];
  /** Told of what was handed to the socket. */
  readonly onSent: (messages: number, bytes: number) => void;
}

/** One way to misbehave. */
export type AttackMode = (attack: Attack) => Promise<void>;

/** All modes by name. */
export const ATTACK_MODES: Readonly<Record<string, AttackMode>> = {
  /** Random bytes on the gossip protocol. */
  'gossip-random': async (attack) => {
    const stream = await open(attack, GOSSIP);
    while (!attack.stop.aborted) await write(attack, stream, randomBytes(4_096));
  },
  /** A gossip frame whose length is right and whose content is random. */
  'gossip-garbage-frames': async (attack) => {
    const stream = await open(attack, GOSSIP);
    while (!attack.stop.aborted) await write(attack, stream, prefixed(randomBytes(1_000)));
  },
  /** Well-formed gossip with random data on each topic: only a handler can tell. */
  'gossip-garbage-messages': async (attack) => {
    const stream = await open(attack, GOSSIP);
    while (!attack.stop.aborted) for (const topic of attack.topics) await write(attack, stream, publishFrame(topic, [randomBytes(300)]));
  },
  /** Well-formed messages on topics that nobody follows. */
  'gossip-unknown-topics': async (attack) => {
    const stream = await open(attack, GOSSIP);
    for (let count = 0; !attack.stop.aborted; count++) {
      const topic = `/coppice/attack/${count}`;
      await write(attack, stream, prefixed(field(1, Buffer.concat([Uint8Array.of(0x08, 1), field(2, Buffer.from(topic))]))));
      await write(attack, stream, publishFrame(topic, [randomBytes(100)]));
    }
  },
  /** A compressed message that would grow to gigabytes. */
  'gossip-bombs': async (attack) => {
    const { zstdCompressSync } = await import('node:zlib');
    const stream = await open(attack, GOSSIP);
    while (!attack.stop.aborted) {
      const bomb = zstdCompressSync(Buffer.concat([Buffer.alloc(BOMB_BYTES), randomBytes(8)]));
      for (const topic of attack.topics) await write(attack, stream, publishFrame(topic, [Buffer.concat([Uint8Array.of(1), bomb])]));
    }
  },
  /** One frame far over the limit. */
  'gossip-oversized': async (attack) => {
    const stream = await open(attack, GOSSIP);
    await write(attack, stream, publishFrame(attack.topics[0] ?? 'none', [randomBytes(OVERSIZED_BYTES)]));
  },
  /** A frame that stops in the middle, again and again. */
  'gossip-truncated': async (attack) => {
    while (!attack.stop.aborted) {
      const stream = await open(attack, GOSSIP);
      const frame = publishFrame(attack.topics[0] ?? 'none', [randomBytes(1_000)]);
      await write(attack, stream, frame.subarray(0, 500));
      stream.abort(new Error('cut'));
    }
  },
  /** As many well-formed messages as the wire carries. */
  'gossip-flood': async (attack) => {
    const stream = await open(attack, GOSSIP);
    while (!attack.stop.aborted) {
      const messages = Array.from({ length: FLOOD_MESSAGES }, () => Buffer.concat([Uint8Array.of(0), randomBytes(250)]));
      for (const topic of attack.topics) await write(attack, stream, publishFrame(topic, messages), FLOOD_MESSAGES);
    }
  },
  /** Given messages, all in one frame: whoever reads it has them all before it can throw the attacker out. */
  'gossip-given': async (attack) => {
    const stream = await open(attack, GOSSIP);
    await write(
      attack,
      stream,
      prefixed(Buffer.concat(attack.given.map(({ topic, data }) => messageField(topic, data)))),
      attack.given.length,
    );
  },
  /** Streams opened and never used, or used badly, on the protocols given as topics. */
  'request-streams': async (attack) => {
    while (!attack.stop.aborted) for (const protocol of attack.topics) send(attack, await open(attack, protocol), Uint8Array.of(0x80));
  },
  /** Streams opened as fast as they can be, on a protocol that every node speaks. */
  'stream-flood': async (attack) => {
    const one = async () => {
      while (!attack.stop.aborted) {
        const stream = await open(attack, '/ipfs/ping/1.0.0');
        stream.abort(new Error('next'));
      }
    };
    await Promise.all(Array.from({ length: 20 }, one));
  },
  /** Random bytes, oversized and cut frames on request protocols given as topics. */
  'request-garbage': async (attack) => {
    const bodies = [() => randomBytes(100), () => Uint8Array.from([0xff, 0xff, 0xff, 0x7f]), () => Uint8Array.from([10, 0, 1])];
    for (let count = 0; !attack.stop.aborted; count++) {
      for (const protocol of attack.topics) {
        const stream = await open(attack, protocol);
        send(attack, stream, (bodies[count % bodies.length] as () => Uint8Array)());
        await stream.close({ signal: attack.stop }).catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (stream.status === 'open') stream.abort(new Error('next'));
      }
    }
  },
};

/** A gossipsub frame that publishes messages on one topic. */
export function publishFrame(topic: string, messages: readonly Uint8Array[]): Uint8Array {
  return prefixed(Buffer.concat(messages.map((data) => messageField(topic, data))));
}

/** A gossipsub frame that follows topics. */
export function subscribeFrame(topics: readonly string[]): Uint8Array {
  return prefixed(Buffer.concat(topics.map((topic) => field(1, Buffer.concat([Uint8Array.of(0x08, 1), field(2, Buffer.from(topic))])))));
}

function messageField(topic: string, data: Uint8Array): Uint8Array {
  return field(2, Buffer.concat([field(2, data), field(4, Buffer.from(topic))]));
}

function open({ connection, stop }: Attack, protocol: string): Promise<Stream> {
  return connection.newStream(protocol, { signal: stop, maxOutboundStreams: 10_000 });
}

function send({ onSent }: Attack, stream: Stream, bytes: Uint8Array, messages = 1): void {
  stream.send(bytes);
  onSent(messages, bytes.length);
}

async function write(attack: Attack, stream: Stream, bytes: Uint8Array, messages = 1): Promise<void> {
  const { stop } = attack;
  stop.throwIfAborted();
  send(attack, stream, bytes, messages);
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
