// Numbers, chunks and lists of them in one flat buffer: how tasks cross to a worker thread. Structured cloning of many small arrays
// costs more than checking some of them, and of a view into a network frame it would copy the whole frame. Never leaves the process.
import { invariant } from '../core/primitives/errors.ts';

const NUMBER_BYTES = 4;
const FIRST_CAPACITY = 1_024;

/** Appends to a buffer that grows by doubling. */
export class BytesWriter {
  #buffer = new Uint8Array(FIRST_CAPACITY);
  #view = new DataView(this.#buffer.buffer);
  #length = 0;

  /** An unsigned 32-bit integer. */
  number(value: number): void {
    this.#reserve(NUMBER_BYTES);
    this.#view.setUint32(this.#length, value);
    this.#length += NUMBER_BYTES;
  }

  /** Bytes of any length. */
  chunk(bytes: Uint8Array): void {
    this.number(bytes.length);
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** The number of items, then each as `write` writes it. */
  list<T>(items: readonly T[], write: (item: T) => void): void {
    this.number(items.length);
    for (const item of items) write(item);
  }

  /** What was written, in a buffer of its own. */
  bytes(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  #reserve(byteCount: number): void {
    const needed = this.#length + byteCount;
    if (needed <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
    larger.set(this.#buffer);
    this.#buffer = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** Reads what a `BytesWriter` wrote; chunks are views of the input. */
export class BytesReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  number(): number {
    const value = this.#view.getUint32(this.#offset);
    this.#offset += NUMBER_BYTES;
    return value;
  }

  chunk(): Uint8Array {
    const length = this.number();
    invariant(this.#offset + length <= this.#bytes.length, 'a chunk was written whole');
    const bytes = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return bytes;
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: this.number() }, read);
  }
}
