// V8 keeps arrays of up to 64 bytes inside its heap; whoever asks one for its buffer (native code, and `subarray`) makes it move out for
// ever, which costs more than a hash of it. So what native code is to read is copied to one place outside.

const VIEWED_BYTES_MAX = 1_024;

/** One array outside V8's heap, and one view of its beginning for each length that is often asked for. */
export class OutsideHeap {
  readonly bytes: Uint8Array;
  readonly #views: (Uint8Array | undefined)[] = new Array(VIEWED_BYTES_MAX + 1).fill(undefined);

  /** `length` is above 64: a shorter array would lie inside. */
  constructor(length: number) {
    this.bytes = new Uint8Array(length);
  }

  /** The first bytes, not copied. */
  first(length: number): Uint8Array {
    if (length > VIEWED_BYTES_MAX) return this.bytes.subarray(0, length);
    this.#views[length] ??= this.bytes.subarray(0, length);
    return this.#views[length];
  }
}
