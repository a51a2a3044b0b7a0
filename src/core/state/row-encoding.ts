// Writing and reading the bytes of rows: fixed fields, lengths as LEB128 varints. Rows are this node's own, checked by the database's
// checksum, so a row that does not decode is a broken promise of ours and not foreign input.
import { invariant } from '../primitives/errors.ts';

const FIRST_CAPACITY_BYTES = 4096;
const SHORT_ROW_BYTES = 96;

/** Collects the bytes of one row after the other in one growing buffer: rows are made thousands at a time. */
export class RowWriter {
  #buffer = new Uint8Array(FIRST_CAPACITY_BYTES);
  #length = 0;

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  /** An integer from 0 to 2^53 - 1. */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length++] = rest;
  }

  bytes(source: Uint8Array, from = 0, to = source.length): void {
    this.#reserve(to - from);
    for (let i = from; i < to; i++) this.#buffer[this.#length++] = source[i] as number;
  }

  /** Bytes with their length before them. */
  blob(source: Uint8Array): void {
    this.varint(source.length);
    this.bytes(source);
  }

  /** The row written since the last call, in an array of its own. */
  finish(): Uint8Array {
    const length = this.#length;
    this.#length = 0;
    if (length > SHORT_ROW_BYTES) return this.#buffer.slice(0, length);
    // Most rows are short, and copied faster byte by byte.
    const row = new Uint8Array(length);
    for (let i = 0; i < length; i++) row[i] = this.#buffer[i] as number;
    return row;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}

/** Reads one row, from its beginning or a place in it. */
export class RowReader {
  readonly #row: Uint8Array;
  #offset: number;

  constructor(row: Uint8Array, offset = 0) {
    this.#row = row;
    this.#offset = offset;
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#row.length;
  }

  byte(): number {
    const value = this.#row[this.#offset++];
    invariant(value !== undefined, 'a stored row is whole');
    return value;
  }

  varint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
  }

  /** The next bytes, in an array of their own. */
  bytes(count: number): Uint8Array {
    const from = this.#offset;
    this.#offset += count;
    invariant(this.#offset <= this.#row.length, 'a stored row is whole');
    return this.#row.slice(from, this.#offset);
  }

  blob(): Uint8Array {
    return this.bytes(this.varint());
  }
}
