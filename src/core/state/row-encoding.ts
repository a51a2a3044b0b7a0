// Writing and reading the bytes of rows: fixed fields, lengths as LEB128 varints. Rows are this node's own, checked by the database's
// checksum, so a row that does not decode is a broken promise of ours and not foreign input.
import { invariant } from '../primitives/errors.ts';

const CHUNK_BYTES = 64 * 1024;
/** A chunk with less room than this left is given up. */
const CHUNK_REST_BYTES_MIN = 1_024;

/** Collects the bytes of one row after the other in chunks: rows are made thousands at a time. */
export class RowWriter {
  #chunk: Uint8Array = new Uint8Array(CHUNK_BYTES);
  /** Where the row being written begins, and where it goes on. */
  #start = 0;
  #end = 0;

  byte(value: number): void {
    this.#reserve(1);
    this.#chunk[this.#end++] = value;
  }

  /** An integer from 0 to 2^53 - 1. */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#chunk[this.#end++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#chunk[this.#end++] = rest;
  }

  bytes(source: Uint8Array, from = 0, to = source.length): void {
    this.#reserve(to - from);
    const chunk = this.#chunk;
    let end = this.#end;
    for (let i = from; i < to; i++) chunk[end++] = source[i] as number;
    this.#end = end;
  }

  /** Bytes with their length before them. */
  blob(source: Uint8Array): void {
    this.varint(source.length);
    this.bytes(source);
  }

  /** The row written since the last call, in an array of its own: for rows that are kept. */
  finish(): Uint8Array {
    const row = new Uint8Array(this.#end - this.#start);
    for (let i = 0; i < row.length; i++) row[i] = this.#chunk[this.#start + i] as number;
    this.#end = this.#start;
    return row;
  }

  /**
   * The row written since the last call, as a part of its chunk: for rows that are handed to the database and forgotten. An array of its
   * own costs more than the row, where it is longer than the 64 bytes that fit into V8's heap.
   */
  finishInChunk(): Uint8Array {
    const row = this.#chunk.subarray(this.#start, this.#end);
    this.#start = this.#end;
    if (this.#end + CHUNK_REST_BYTES_MIN > this.#chunk.length) this.#moveTo(new Uint8Array(CHUNK_BYTES));
    return row;
  }

  #reserve(count: number): void {
    const needed = this.#end - this.#start + count;
    if (this.#start + needed > this.#chunk.length) this.#moveTo(new Uint8Array(Math.max(CHUNK_BYTES, 2 * needed)));
  }

  #moveTo(chunk: Uint8Array): void {
    chunk.set(this.#chunk.subarray(this.#start, this.#end));
    this.#chunk = chunk;
    this.#end -= this.#start;
    this.#start = 0;
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
      if (byte < 0x80) {
        invariant((byte !== 0 || factor === 1) && value <= Number.MAX_SAFE_INTEGER, 'a stored integer has its one encoding, and is exact');
        return value;
      }
      factor *= 0x80;
    }
  }

  /** How many items follow, each of at least `bytesEach`: known before room is made for them. */
  count(bytesEach: number): number {
    const count = this.varint();
    invariant(count * bytesEach <= this.#row.length - this.#offset, 'a stored row is whole');
    return count;
  }

  /** Asserts that the row ends here. */
  end(): void {
    invariant(this.#offset === this.#row.length, 'nothing follows in a stored row');
  }

  /** The next bytes, in an array of their own. */
  bytes(count: number): Uint8Array {
    const from = this.#offset;
    this.#offset += count;
    invariant(this.#offset <= this.#row.length, 'a stored row is whole');
    return this.#row.slice(from, this.#offset);
  }

  /** The next bytes, over [from, to) of `target`. */
  copy(target: Uint8Array, from: number, to: number): void {
    const row = this.#row;
    let offset = this.#offset;
    invariant(offset + to - from <= row.length, 'a stored row is whole');
    for (let at = from; at < to; at++) target[at] = row[offset++] as number;
    this.#offset = offset;
  }

  blob(): Uint8Array {
    return this.bytes(this.varint());
  }
}
