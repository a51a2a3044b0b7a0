// The two encodings of an account. The leaf commits the SSZ container {nonce: uint64, balanceWei: uint256, codeHash: Bytes32,
// storageRoot: Bytes32, family: Bytes20}: fixed size, written by hand here because every touched account is hashed (a test
// compares it with @chainsafe/ssz). Rows leave out what most accounts do not have (124 → about 35 bytes), and keep what only the
// database needs: where the storage tree's root node is.
import { bytesEqual, ZERO_32 } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, Height } from '../primitives/ids.ts';
import type { Account } from './account.ts';
import { RowReader, type RowWriter } from './row-encoding.ts';

/** keccak256 of nothing: the code hash of an account without code. */
export const EMPTY_CODE_HASH: Bytes32 = Uint8Array.of(
  0xc5,
  0xd2,
  0x46,
  0x01,
  0x86,
  0xf7,
  0x23,
  0x3c,
  0x92,
  0x7e,
  0x7d,
  0xb2,
  0xdc,
  0xc7,
  0x03,
  0xc0,
  0xe5,
  0x00,
  0xb6,
  0x53,
  0xca,
  0x82,
  0x27,
  0x3b,
  0x7b,
  0xfa,
  0xd8,
  0x04,
  0x5d,
  0x85,
  0xa4,
  0x70,
);

/** Where a storage tree is: the version that wrote its root node, and how many slots it has. */
export interface StorageTreeReference {
  readonly version: Height;
  readonly leafCount: number;
}

/** An account as the database keeps it. No reference: no storage. */
export interface AccountRecord {
  readonly account: Account;
  readonly storageTree: StorageTreeReference | undefined;
}

/** Bytes of the committed encoding. */
export const ACCOUNT_LEAF_BYTES = 8 + 32 + 32 + 32 + 20;
const BALANCE_AT = 8;
const CODE_HASH_AT = 40;
const STORAGE_ROOT_AT = 72;
const FAMILY_AT = 104;
const HAS_CODE = 1;
const HAS_STORAGE = 2;

/**
 * Writes what the leaf commits, from the account's row that begins at `offset`, over the whole of `leaf`: hashing needs no integers and
 * no array of its own for each.
 */
export function writeAccountLeaf(row: Uint8Array, offset: number, leaf: Uint8Array): void {
  const flags = row[offset] as number;
  let at = copyInteger(row, offset + 1, leaf, 0, BALANCE_AT);
  at = copyInteger(row, at, leaf, BALANCE_AT, CODE_HASH_AT);
  at = copyBytes(row, at, leaf, FAMILY_AT, ACCOUNT_LEAF_BYTES);
  if ((flags & HAS_CODE) === 0) copyBytes(EMPTY_CODE_HASH, 0, leaf, CODE_HASH_AT, STORAGE_ROOT_AT);
  else at = copyBytes(row, at, leaf, CODE_HASH_AT, STORAGE_ROOT_AT);
  if ((flags & HAS_STORAGE) === 0) leaf.fill(0, STORAGE_ROOT_AT, FAMILY_AT);
  else at = copyBytes(row, at, leaf, STORAGE_ROOT_AT, FAMILY_AT);
  invariant(at <= row.length, 'a stored row is whole');
}

/** The account that a leaf's committed bytes are; undefined unless they have the one right length. */
export function decodeAccountLeaf(leaf: Uint8Array): Account | undefined {
  if (leaf.length !== ACCOUNT_LEAF_BYTES) return undefined;
  const view = new DataView(leaf.buffer, leaf.byteOffset, leaf.byteLength);
  let balanceWei = 0n;
  for (let at = CODE_HASH_AT - 8; at >= BALANCE_AT; at -= 8) balanceWei = (balanceWei << 64n) | view.getBigUint64(at, true);
  return {
    nonce: view.getBigUint64(0, true),
    balanceWei,
    codeHash: leaf.slice(CODE_HASH_AT, STORAGE_ROOT_AT),
    storageRoot: leaf.slice(STORAGE_ROOT_AT, FAMILY_AT),
    family: leaf.slice(FAMILY_AT),
  };
}

/** Appends an account's row. */
export function writeAccountRow(writer: RowWriter, record: AccountRecord): void {
  const { account, storageTree } = record;
  invariant(account.balanceWei >= 0n && account.balanceWei >> 256n === 0n, 'a balance is a uint256');
  const hasCode = !bytesEqual(account.codeHash, EMPTY_CODE_HASH);
  writer.byte((hasCode ? HAS_CODE : 0) | (storageTree === undefined ? 0 : HAS_STORAGE));
  writeInteger(writer, account.nonce);
  writeInteger(writer, account.balanceWei);
  writer.bytes(account.family);
  if (hasCode) writer.bytes(account.codeHash);
  if (storageTree === undefined) return;
  writer.bytes(account.storageRoot);
  writer.varint(storageTree.version);
  writer.varint(storageTree.leafCount);
}

/** The account of a row that begins at `offset`, and ends with it. */
export function readAccountRow(row: Uint8Array, offset: number): AccountRecord {
  const reader = new RowReader(row, offset);
  const flags = reader.byte();
  invariant((flags & ~(HAS_CODE | HAS_STORAGE)) === 0, 'an account has code and storage, and no third thing');
  const nonce = readInteger(reader, BALANCE_AT);
  const balanceWei = readInteger(reader, CODE_HASH_AT - BALANCE_AT);
  const family = reader.bytes(20);
  const codeHash = (flags & HAS_CODE) !== 0 ? reader.bytes(32) : EMPTY_CODE_HASH;
  invariant((flags & HAS_CODE) === 0 || !bytesEqual(codeHash, EMPTY_CODE_HASH), 'the hash of no code is left out');
  if ((flags & HAS_STORAGE) === 0) {
    reader.end();
    return { account: { nonce, balanceWei, codeHash, storageRoot: ZERO_32, family }, storageTree: undefined };
  }
  const storageRoot = reader.bytes(32);
  const storageTree = { version: reader.varint(), leafCount: reader.varint() };
  reader.end();
  return { account: { nonce, balanceWei, codeHash, storageRoot, family }, storageTree };
}

const integerBytes = new Uint8Array(32);
const integerView = new DataView(integerBytes.buffer);

// One byte of length, then the little-endian bytes that matter.
function writeInteger(writer: RowWriter, value: bigint): void {
  let length = 0;
  for (let rest = value; rest > 0n; rest >>= 64n) {
    integerView.setBigUint64(length, rest, true);
    length += 8;
  }
  while (length > 0 && integerBytes[length - 1] === 0) length--;
  writer.byte(length);
  writer.bytes(integerBytes, 0, length);
}

function readInteger(reader: RowReader, bytesMax: number): bigint {
  const length = reader.byte();
  invariant(length <= bytesMax, 'an integer fits its field');
  const whole = (length + 7) & ~7;
  for (let i = 0; i < length; i++) integerBytes[i] = reader.byte();
  invariant(length === 0 || integerBytes[length - 1] !== 0, 'an integer is stored without zeros at its end');
  for (let i = length; i < whole; i++) integerBytes[i] = 0;
  let value = 0n;
  for (let at = whole - 8; at >= 0; at -= 8) {
    const word = integerView.getBigUint64(at, true);
    value = value === 0n ? word : (value << 64n) | word;
  }
  return value;
}

// The integer of a row at `at`, over all of [from, to) of `leaf`; returns where the row goes on.
function copyInteger(row: Uint8Array, at: number, leaf: Uint8Array, from: number, to: number): number {
  const length = row[at] as number;
  invariant(from + length <= to, 'an integer fits its field');
  for (let i = 0; i < length; i++) leaf[from + i] = row[at + 1 + i] as number;
  for (let i = from + length; i < to; i++) leaf[i] = 0;
  return at + 1 + length;
}

function copyBytes(source: Uint8Array, at: number, leaf: Uint8Array, from: number, to: number): number {
  for (let i = 0; i < to - from; i++) leaf[from + i] = source[at + i] as number;
  return at + to - from;
}
