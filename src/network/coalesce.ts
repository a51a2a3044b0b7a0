// Many small messages in one gossip frame. A gossiped message costs 80 to 800 µs wherever it lands, whatever its size, so votes
// that queue up travel together: uint32 length (little-endian, as in SSZ) and bytes, one after the other. Pure.
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';

const LENGTH_BYTES = 4;

/** Why a frame holds no messages. */
export type UnpackFault = 'truncated' | 'too-many-messages';

/** Bytes that a message takes in a frame. */
export function packedSize(message: Uint8Array): number {
  return LENGTH_BYTES + message.length;
}

/** The messages in one frame, in order; none gives the empty frame. */
export function packMessages(messages: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const message of messages) length += packedSize(message);
  const frame = new Uint8Array(length);
  const view = new DataView(frame.buffer);
  let offset = 0;
  for (const message of messages) {
    view.setUint32(offset, message.length, true);
    frame.set(message, offset + LENGTH_BYTES);
    offset += packedSize(message);
  }
  return frame;
}

/** The messages of a frame as views into it; refused when it is cut off or holds more than `countMax`. */
export function unpackMessages(data: Uint8Array, countMax: number): Verdict<Uint8Array[], UnpackFault> {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const messages: Uint8Array[] = [];
  let offset = 0;
  while (offset < data.length) {
    if (messages.length >= countMax) return refuse('too-many-messages', `more than ${countMax}`);
    if (data.length - offset < LENGTH_BYTES) return refuse('truncated', `${data.length - offset} bytes left, no length`);
    const end = offset + LENGTH_BYTES + view.getUint32(offset, true);
    if (end > data.length) return refuse('truncated', `a message up to ${end} in ${data.length} bytes`);
    messages.push(data.subarray(offset + LENGTH_BYTES, end));
    offset = end;
  }
  return accept(messages);
}
