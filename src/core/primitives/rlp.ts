// RLP, Ethereum's encoding of nested byte strings (yellow paper, appendix B): used only for what Ethereum defines.
//
// The rule it upholds: a value has one encoding and only that one decodes. Refused are lengths in more bytes than needed, a single
// byte below 0x80 that is written with a prefix, truncation, bytes after the end, and lists nested deeper than RLP_DEPTH_MAX (the
// decoder recurses, and the bytes are foreign). Integers are canonical when they have no leading zero byte.
import { accept, refuse, type Verdict } from './verdict.ts';

/** Bytes, or a list of items. */
export type RlpItem = Uint8Array | readonly RlpItem[];

/** Nesting of a foreign encoding. The deepest format that we read is an access list inside a transaction: 4. */
export const RLP_DEPTH_MAX = 8;

/** Why bytes are not the canonical encoding of anything. */
export type RlpFault = 'rlp-truncated' | 'rlp-not-canonical' | 'rlp-trailing-bytes' | 'rlp-too-deep';

/** The encoding of bytes or of a list. */
export function encodeRlp(item: RlpItem): Uint8Array {
  const bytes = new Uint8Array(encodedLength(item));
  writeItem(bytes, 0, item);
  return bytes;
}

/** The item whose encoding the bytes are. Byte strings are views into `bytes`: copy what must outlive it. */
export function decodeRlp(bytes: Uint8Array): Verdict<RlpItem, RlpFault> {
  const header: RlpHeader = { isList: false, start: 0, end: 0 };
  const fault = readHeader(bytes, 0, bytes.length, header);
  if (fault !== undefined) return refuse(fault, 'at byte 0');
  if (header.end !== bytes.length) return refuse('rlp-trailing-bytes', `${bytes.length - header.end} bytes after the end`);
  if (!header.isList) return accept(bytes.subarray(header.start, header.end));
  return decodeList(bytes, header.start, header.end, 1);
}

/** A non-negative integer as RLP holds it: big-endian without leading zeros, 0 as no bytes. */
export function integerToRlp(value: bigint | number): Uint8Array {
  return typeof value === 'number' ? numberToRlp(value) : bigintToRlp(value);
}

function numberToRlp(value: number): Uint8Array {
  let length = 0;
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) length += 1;
  const bytes = new Uint8Array(length);
  for (let i = length - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) bytes[i] = rest % 256;
  return bytes;
}

function bigintToRlp(value: bigint): Uint8Array {
  if (value <= 0xffff_ffff_ffffn) return numberToRlp(Number(value));
  const digits = value.toString(16);
  const bytes = new Uint8Array((digits.length + 1) >> 1);
  for (let i = bytes.length - 1, end = digits.length; i >= 0; i--, end -= 2)
    bytes[i] = Number.parseInt(digits.slice(Math.max(0, end - 2), end), 16);
  return bytes;
}

// ---------------------------------------------------------------------------------------------------------------------------
// Parts.

interface RlpHeader {
  isList: boolean;
  start: number;
  end: number;
}

function lengthFrom(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = value * 256 + (bytes[i] as number);
  return value;
}

// Reads the prefix at `offset` of an item that must end at or before `limit`.
function readHeader(bytes: Uint8Array, offset: number, limit: number, header: RlpHeader): RlpFault | undefined {
  if (offset >= limit) return 'rlp-truncated';
  const prefix = bytes[offset] as number;
  header.isList = prefix >= 0xc0;
  if (prefix < 0x80) {
    header.start = offset;
    header.end = offset + 1;
    return undefined;
  }
  const shortLength = prefix - (header.isList ? 0xc0 : 0x80);
  if (shortLength < 56) {
    header.start = offset + 1;
    header.end = offset + 1 + shortLength;
    if (header.end > limit) return 'rlp-truncated';
    if (shortLength === 1 && !header.isList && (bytes[offset + 1] as number) < 0x80) return 'rlp-not-canonical';
    return undefined;
  }
  const lengthBytes = shortLength - 55;
  header.start = offset + 1 + lengthBytes;
  if (header.start > limit) return 'rlp-truncated';
  if (bytes[offset + 1] === 0) return 'rlp-not-canonical';
  if (lengthBytes > 6) return 'rlp-truncated';
  const length = lengthFrom(bytes, offset + 1, header.start);
  if (length < 56) return 'rlp-not-canonical';
  header.end = header.start + length;
  return header.end > limit ? 'rlp-truncated' : undefined;
}

function decodeList(bytes: Uint8Array, start: number, end: number, depth: number): Verdict<RlpItem, RlpFault> {
  if (depth > RLP_DEPTH_MAX) return refuse('rlp-too-deep', `deeper than ${RLP_DEPTH_MAX} lists`);
  const items: RlpItem[] = [];
  const header: RlpHeader = { isList: false, start: 0, end: 0 };
  for (let offset = start; offset < end; offset = header.end) {
    const fault = readHeader(bytes, offset, end, header);
    if (fault !== undefined) return refuse(fault, `at byte ${offset}`);
    if (!header.isList) {
      items.push(bytes.subarray(header.start, header.end));
      continue;
    }
    const inner = decodeList(bytes, header.start, header.end, depth + 1);
    if (!inner.ok) return inner;
    items.push(inner.value);
  }
  return accept(items);
}

function isBytes(item: RlpItem): item is Uint8Array {
  return item instanceof Uint8Array;
}

function payloadLength(list: readonly RlpItem[]): number {
  let length = 0;
  for (const item of list) length += encodedLength(item);
  return length;
}

function encodedLength(item: RlpItem): number {
  if (isBytes(item)) return item.length === 1 && (item[0] as number) < 0x80 ? 1 : prefixLength(item.length) + item.length;
  const length = payloadLength(item);
  return prefixLength(length) + length;
}

function prefixLength(length: number): number {
  return length < 56 ? 1 : 1 + lengthOfLength(length);
}

function lengthOfLength(length: number): number {
  if (length < 0x100) return 1;
  if (length < 0x10000) return 2;
  return length < 0x1000000 ? 3 : 4;
}

// Writes the item at `offset` and gives the offset after it.
function writeItem(bytes: Uint8Array, offset: number, item: RlpItem): number {
  if (isBytes(item)) {
    if (item.length === 1 && (item[0] as number) < 0x80) {
      bytes[offset] = item[0] as number;
      return offset + 1;
    }
    const start = writePrefix(bytes, offset, 0x80, item.length);
    bytes.set(item, start);
    return start + item.length;
  }
  let at = writePrefix(bytes, offset, 0xc0, payloadLength(item));
  for (const part of item) at = writeItem(bytes, at, part);
  return at;
}

function writePrefix(bytes: Uint8Array, offset: number, base: number, length: number): number {
  if (length < 56) {
    bytes[offset] = base + length;
    return offset + 1;
  }
  const lengthBytes = lengthOfLength(length);
  bytes[offset] = base + 55 + lengthBytes;
  for (let i = lengthBytes, rest = length; i > 0; i--, rest = Math.floor(rest / 256)) bytes[offset + i] = rest % 256;
  return offset + 1 + lengthBytes;
}
