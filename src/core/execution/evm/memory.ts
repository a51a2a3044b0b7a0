// The memory of a frame: grows by doubling, so that many small extensions copy each byte a constant number of times. Gas is charged
// before (frame.ts), so offsets here are small integers.

const FIRST_BYTES = 1_024;
const NOTHING = new Uint8Array(0);
const NO_VIEW = new DataView(NOTHING.buffer);

export class Memory {
  bytes: Uint8Array = NOTHING;
  #view = NO_VIEW;

  /** Zeros again, for another frame. A memory that grew is given up. */
  clear(): void {
    if (this.bytes.length <= FIRST_BYTES) {
      this.bytes.fill(0);
      return;
    }
    this.bytes = NOTHING;
    this.#view = NO_VIEW;
  }

  /** Makes room up to `end`, which gas has paid for. */
  extend(end: number): void {
    if (end <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(FIRST_BYTES, this.bytes.length * 2, Math.ceil(end / 32) * 32));
    grown.set(this.bytes);
    this.bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  loadWord(offset: number): bigint {
    this.extend(offset + 32);
    const view = this.#view;
    const high = (view.getBigUint64(offset) << 64n) | view.getBigUint64(offset + 8);
    const low = (view.getBigUint64(offset + 16) << 64n) | view.getBigUint64(offset + 24);
    return high === 0n ? low : (high << 128n) | low;
  }

  storeWord(offset: number, value: bigint): void {
    this.extend(offset + 32);
    const view = this.#view;
    if (value <= 0xffffffffffffffffn) {
      view.setBigUint64(offset, 0n);
      view.setBigUint64(offset + 8, 0n);
      view.setBigUint64(offset + 16, 0n);
      view.setBigUint64(offset + 24, value);
      return;
    }
    view.setBigUint64(offset, value >> 192n); // setBigUint64 takes its value modulo 2^64.
    view.setBigUint64(offset + 8, value >> 128n);
    view.setBigUint64(offset + 16, value >> 64n);
    view.setBigUint64(offset + 24, value);
  }

  /** A view: valid until the frame runs on. Copy what you keep. */
  view(offset: number, length: number): Uint8Array {
    if (length === 0) return NOTHING;
    this.extend(offset + length);
    return this.bytes.subarray(offset, offset + length);
  }

  copy(offset: number, length: number): Uint8Array {
    return length === 0 ? NOTHING : this.view(offset, length).slice();
  }

  /** Copies `length` bytes of `source` from `sourceOffset`, zeros beyond its end. */
  write(offset: number, source: Uint8Array, sourceOffset: number, length: number): void {
    if (length === 0) return;
    this.extend(offset + length);
    const available = Math.max(0, Math.min(length, source.length - sourceOffset));
    if (available > 0) this.bytes.set(source.subarray(sourceOffset, sourceOffset + available), offset);
    if (available < length) this.bytes.fill(0, offset + available, offset + length);
  }
}
