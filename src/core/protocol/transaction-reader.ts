// Reads the strings, integers and lists of a transaction's RLP in place (yellow paper, appendix B). One encoding only: lengths and
// integers are minimal. A generic decoder would make an array for each field, most of which become numbers at once.
import type { Bytes32 } from '../primitives/ids.ts';

/** A place in the bytes. The first fault sticks and makes every later read return nothing, so that a caller checks once, at the end. */
export interface Reader {
  readonly bytes: Uint8Array;
  position: number;
  /** Where the content of the last string began; `position` is its end. */
  itemStart: number;
  fault: string | undefined;
}

const NOTHING = new Uint8Array(0);

/** Steps over the next string, and returns the length of its content, or 0 after a fault. */
export function stepString(reader: Reader, end: number): number {
  if (reader.fault !== undefined) return 0;
  const { bytes, position } = reader;
  if (position >= end) return fail(reader, 'a field is missing');
  const first = bytes[position] as number;
  if (first < 0x80) {
    reader.itemStart = position;
    reader.position = position + 1;
    return 1;
  }
  if (first >= 0xc0) return fail(reader, 'a list where a string is expected');
  let start = position + 1;
  let length = first - 0x80;
  if (first > 0xb7) {
    const lengthBytes = first - 0xb7;
    length = readLength(reader, start, lengthBytes, end);
    start += lengthBytes;
  }
  if (reader.fault !== undefined) return 0;
  if (start + length > end) return fail(reader, 'a string runs over its list');
  if (length === 1 && first === 0x81 && (bytes[start] as number) < 0x80) return fail(reader, 'a small byte with a length before it');
  reader.itemStart = start;
  reader.position = start + length;
  return length;
}

/** Enters the next list: `position` is then its first item, and the result the end of its content. */
export function openList(reader: Reader, end: number): number {
  if (reader.fault !== undefined) return reader.position;
  const { bytes, position } = reader;
  if (position >= end) {
    fail(reader, 'a list is missing');
    return position;
  }
  const first = bytes[position] as number;
  if (first < 0xc0) {
    fail(reader, 'a string where a list is expected');
    return position;
  }
  let start = position + 1;
  let length = first - 0xc0;
  if (first > 0xf7) {
    const lengthBytes = first - 0xf7;
    length = readLength(reader, start, lengthBytes, end);
    start += lengthBytes;
  }
  if (reader.fault === undefined && start + length > end) fail(reader, 'a list runs over its end');
  if (reader.fault !== undefined) return position;
  reader.position = start;
  return start + length;
}

// Lengths above 55 stand in one to three bytes (a transaction has at most 128 KiB), the first not zero.
function readLength(reader: Reader, start: number, lengthBytes: number, end: number): number {
  if (lengthBytes > 3 || start + lengthBytes > end) return fail(reader, 'a length beyond the bytes');
  let length = 0;
  for (let i = 0; i < lengthBytes; i++) length = length * 256 + (reader.bytes[start + i] as number);
  if (length <= 55 || reader.bytes[start] === 0) return fail(reader, 'a length that is not minimal');
  return length;
}

/** The next string, as a view. */
export function readString(reader: Reader, end: number): Uint8Array {
  const length = stepString(reader, end);
  return length === 0 ? NOTHING : reader.bytes.subarray(reader.itemStart, reader.position);
}

// Steps over an integer, and returns the length of its bytes, or 0 after a fault.
function stepInteger(reader: Reader, end: number, bytesMax: number): number {
  const length = stepString(reader, end);
  if (length === 0) return 0;
  if (length > bytesMax) return fail(reader, `an integer of ${length} bytes, at most ${bytesMax}`);
  if (reader.bytes[reader.itemStart] === 0) return fail(reader, 'an integer with a leading zero');
  return length;
}

/** Bytes of an integer that a number holds without loss. */
const EXACT_BYTES = 6;

/** The next integer. */
export function readInteger(reader: Reader, end: number, bytesMax: number): bigint {
  const length = stepInteger(reader, end, bytesMax);
  const { itemStart } = reader;
  let read = length % EXACT_BYTES;
  let value = BigInt(numberAt(reader, itemStart, read));
  for (; read < length; read += EXACT_BYTES) value = (value << 48n) | BigInt(numberAt(reader, itemStart + read, EXACT_BYTES));
  return value;
}

/** The next integer as a number: exact below 2^53, and else not below it, so that comparing it with a safe integer is right. */
export function readNumber(reader: Reader, end: number, bytesMax: number): number {
  const length = stepInteger(reader, end, bytesMax);
  return numberAt(reader, reader.itemStart, length);
}

function numberAt({ bytes }: Reader, start: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + (bytes[start + i] as number);
  return value;
}

/** The next integer, of at most 32 bytes, as exactly 32 bytes: r or s. */
export function readScalar(reader: Reader, end: number): Bytes32 {
  const length = stepInteger(reader, end, 32);
  const bytes = reader.bytes.subarray(reader.itemStart, reader.itemStart + length);
  if (length === 32) return bytes;
  const padded = new Uint8Array(32);
  padded.set(bytes, 32 - length);
  return padded;
}

function fail(reader: Reader, fault: string): 0 {
  reader.fault ??= fault;
  reader.itemStart = reader.position;
  return 0;
}
