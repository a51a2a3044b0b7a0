// Bytes: hexadecimal, comparison, joining, big-endian integers. Pure.
import { invariant } from './errors.ts';
import type { Hex } from './ids.ts';

/** Character codes of a byte's high and low digit. */
const HIGH_DIGIT_CODES: Uint8Array = digitCodesOf((byte) => byte >> 4);
const LOW_DIGIT_CODES: Uint8Array = digitCodesOf((byte) => byte & 15);
/** Bytes that become digits in one call. */
const HEX_PIECE_BYTES = 64;
/** For each number of bytes in a piece the list that their digits' codes are put in, overwritten each time. */
const DIGIT_CODES: readonly number[][] = Array.from({ length: HEX_PIECE_BYTES + 1 }, (_unused, bytes) => new Array(2 * bytes).fill(0));

/** 32 zero bytes: the hash of nothing, the empty subtree. Never write to it. */
export const ZERO_32 = new Uint8Array(32);

/**
 * Lower-case hexadecimal without prefix. Names of accounts and transactions are made by the thousand, so a piece is made in one call: digit
 * by digit each would be a chain of 26 strings, at three times the time and nine times the memory.
 */
export function bytesToHex(bytes: Uint8Array): Hex {
  const { length } = bytes;
  if (length <= HEX_PIECE_BYTES) return pieceToHex(bytes, 0, length);
  let hex = '';
  for (let start = 0; start < length; start += HEX_PIECE_BYTES) hex += pieceToHex(bytes, start, Math.min(HEX_PIECE_BYTES, length - start));
  return hex;
}

function pieceToHex(bytes: Uint8Array, start: number, length: number): Hex {
  const codes = DIGIT_CODES[length] as number[];
  for (let i = 0; i < length; i++) {
    const byte = bytes[start + i] as number;
    codes[2 * i] = HIGH_DIGIT_CODES[byte] as number;
    codes[2 * i + 1] = LOW_DIGIT_CODES[byte] as number;
  }
  return String.fromCharCode.apply(null, codes);
}

/** Lower-case hexadecimal with `0x`, as Ethereum clients expect bytes. */
export function bytesToPrefixedHex(bytes: Uint8Array): `0x${string}` {
  return `0x${bytesToHex(bytes)}`;
}

/** Bytes of a hexadecimal string with or without `0x`; `undefined` unless it has an even number of hexadecimal digits only. */
export function hexToBytes(hex: string): Uint8Array | undefined {
  const digits = hex.startsWith('0x') ? hex.slice(2) : hex;
  if (digits.length % 2 !== 0) return undefined;
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const high = digitOf(digits.charCodeAt(2 * i));
    const low = digitOf(digits.charCodeAt(2 * i + 1));
    if (high < 0 || low < 0) return undefined;
    bytes[i] = (high << 4) | low;
  }
  return bytes;
}

/** Bytes of a hexadecimal literal of our own; throws on anything else. */
export function hex(literal: string): Uint8Array {
  const bytes = hexToBytes(literal);
  if (bytes === undefined) throw new Error(`not hexadecimal: ${literal}`);
  return bytes;
}

/** True when both have the same length and content. Not constant-time: for public data only. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Lexicographic order: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/**
 * The first `length` bytes, not copied, of what may be a library's Buffer. `slice` of a Buffer copies nothing, so what is cut from one would hold all
 * of it in memory; and whatever is cut from one is made by JavaScript code, at some times the price.
 */
export function plainBytes(bytes: Uint8Array, length: number = bytes.length): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, length);
}

/** A new array holding the parts one after the other. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** The big-endian unsigned integer that the bytes spell; 0 for none. */
export function bytesToBigint(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytesToHex(bytes)}`);
}

/** `value` (not negative, and fitting) as a big-endian array of exactly `length` bytes. */
export function bigintToBytes(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let rest = value;
  for (let i = length - 1; i >= 0 && rest > 0n; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  if (rest !== 0n || value < 0n) throw new Error(`${value} does not fit ${length} bytes`);
  return bytes;
}

/** `value`, a safe integer, as 8 big-endian bytes. */
export function uint64ToBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  // Byte by byte: a view would need the buffer, and make V8 move the array out of its heap.
  let rest = value;
  for (let at = 7; rest > 0; at--) {
    bytes[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

/** The safe integer whose 8 big-endian bytes begin at `at`: what `uint64ToBytes` wrote. */
export function uint64At(bytes: Uint8Array, at: number): number {
  invariant(at + 8 <= bytes.length, 'a stored number has its 8 bytes');
  let value = 0;
  for (let i = at; i < at + 8; i++) value = value * 256 + (bytes[i] as number);
  invariant(value <= Number.MAX_SAFE_INTEGER, 'a stored number is exact');
  return value;
}

/** The value of one hexadecimal digit's character code, or -1. */
function digitOf(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  if (code >= 65 && code <= 70) return code - 55;
  return -1;
}

function digitCodesOf(digitOfByte: (byte: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_unused, byte) => digitOfByte(byte).toString(16).charCodeAt(0));
}
