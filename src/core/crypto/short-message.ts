// Short messages on their way into a hasher: gathered in one place that native code can read (primitives/outside-heap.ts says why).
import { OutsideHeap } from '../primitives/outside-heap.ts';

const SHORT_MESSAGE_BYTES = 1_024;

const scratch = new OutsideHeap(SHORT_MESSAGE_BYTES);

/** The parts one after the other, until the next call; undefined where they are long, and copying them gains nothing. */
export function gatherShort(parts: readonly Uint8Array[]): Uint8Array | undefined {
  let length = 0;
  for (const part of parts) length += part.length;
  if (length > SHORT_MESSAGE_BYTES) return undefined;
  let offset = 0;
  for (const part of parts) {
    scratch.bytes.set(part, offset);
    offset += part.length;
  }
  return scratch.first(length);
}
