// Short messages on their way into a hasher. V8 keeps arrays of up to 64 bytes inside its heap; whoever asks one for its buffer (native
// code, and `subarray`) makes it move out for ever, which costs more than the hash. So short parts are copied to one place outside.

const SHORT_MESSAGE_BYTES = 1_024;

const scratch = new Uint8Array(SHORT_MESSAGE_BYTES);
const views: (Uint8Array | undefined)[] = new Array(SHORT_MESSAGE_BYTES + 1).fill(undefined);

/** The parts one after the other, until the next call; undefined where they are long, and copying them gains nothing. */
export function gatherShort(parts: readonly Uint8Array[]): Uint8Array | undefined {
  let length = 0;
  for (const part of parts) length += part.length;
  if (length > SHORT_MESSAGE_BYTES) return undefined;
  let offset = 0;
  for (const part of parts) {
    scratch.set(part, offset);
    offset += part.length;
  }
  const view = views[length] ?? scratch.subarray(0, length);
  views[length] = view;
  return view;
}
