// Lets yamux's window updates wait for company. In this version a stream gives back what it has read after every single frame, so each vote that is heard
// costs an encrypted packet in return, and a turn of the loop on both sides. Here they are held until something else goes to that peer, or until they
// add up to a good part of a window.
//
// Nobody waits for what is held: a sender stands still only when all of its window is used up, of which the part that may be held is a fourth at most.
import type { MessageStream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface';
import { concatBytes } from '../core/primitives/bytes.ts';

/** Of one stream that may be held, in bytes: a fourth of the window that every stream starts with (yamux, "Flow control"). */
const HELD_BYTES_MAX = 64 * 1024;

/** A frame's head, which of a window update is all of it: version, type, flags (2 bytes), stream (4), length (4), big-endian. */
const HEAD_BYTES = 12;
const TYPE_WINDOW_UPDATE = 1;
const STREAM_OFFSET = 4;
const LENGTH_OFFSET = 8;

/** The muxer, which holds its window updates back as the file's head says. */
export function withHeldWindowUpdates<Muxer extends StreamMuxer>(create: () => StreamMuxerFactory<Muxer>): () => StreamMuxerFactory<Muxer> {
  return () => {
    const factory = create();
    const createStreamMuxer = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (connection) => createStreamMuxer(holding(connection));
    return factory;
  };
}

function holding(connection: MessageStream): MessageStream {
  const send = connection.send.bind(connection);
  const held = new Map<number, number>();
  connection.send = (data) => {
    const update = data instanceof Uint8Array ? windowUpdateIn(data) : undefined;
    if (update !== undefined) {
      const bytes = (held.get(update.stream) ?? 0) + update.bytes;
      held.set(update.stream, bytes);
      if (bytes < HELD_BYTES_MAX) return true;
      return send(takeAll(held));
    }
    if (held.size === 0) return send(data);
    const updates = takeAll(held);
    if (data instanceof Uint8Array) return send(concatBytes(updates, data));
    data.prepend(updates);
    return send(data);
  };
  return connection;
}

/** What one yamux frame gives back to the sender of a stream; undefined for any other frame, and for one that says more by a flag. */
export function windowUpdateIn(frame: Uint8Array): { readonly stream: number; readonly bytes: number } | undefined {
  if (frame.length !== HEAD_BYTES || frame[1] !== TYPE_WINDOW_UPDATE || frame[2] !== 0 || frame[3] !== 0) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, HEAD_BYTES);
  return { stream: view.getUint32(STREAM_OFFSET), bytes: view.getUint32(LENGTH_OFFSET) };
}

function takeAll(held: Map<number, number>): Uint8Array {
  const frames = new Uint8Array(held.size * HEAD_BYTES);
  const view = new DataView(frames.buffer);
  let offset = 0;
  for (const [stream, bytes] of held) {
    frames[offset + 1] = TYPE_WINDOW_UPDATE;
    view.setUint32(offset + STREAM_OFFSET, stream);
    view.setUint32(offset + LENGTH_OFFSET, bytes);
    offset += HEAD_BYTES;
  }
  held.clear();
  return frames;
}
