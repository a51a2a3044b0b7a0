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
const WORD = 0xffff_ffffn;

/** What the leaf commits. */
export function encodeAccountLeaf(account: Account): Uint8Array {
  const leaf = new Uint8Array(ACCOUNT_LEAF_BYTES);
  writeAccountLeaf(account, leaf);
  return leaf;
}

/** Writes what the leaf commits over the whole of `leaf`: hashing needs no array of its own for each. */
export function writeAccountLeaf(account: Account, leaf: Uint8Array): void {
  invariant(account.balanceWei >= 0n && account.balanceWei >> 256n === 0n, 'a balance is a uint256');
  writeLittleEndian(leaf, 0, BALANCE_AT, account.nonce);
  writeLittleEndian(leaf, BALANCE_AT, CODE_HASH_AT, account.balanceWei);
  leaf.set(account.codeHash, CODE_HASH_AT);
  leaf.set(account.storageRoot, STORAGE_ROOT_AT);
  leaf.set(account.family, FAMILY_AT);
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

/** The account of a row that begins at `offset`. */
export function readAccountRow(row: Uint8Array, offset: number): AccountRecord {
  const reader = new RowReader(row, offset);
  const flags = reader.byte();
  const nonce = readInteger(reader);
  const balanceWei = readInteger(reader);
  const family = reader.bytes(20);
  const codeHash = (flags & HAS_CODE) !== 0 ? reader.bytes(32) : EMPTY_CODE_HASH;
  if ((flags & HAS_STORAGE) === 0)
    return { account: { nonce, balanceWei, codeHash, storageRoot: ZERO_32, family }, storageTree: undefined };
  const storageRoot = reader.bytes(32);
  const storageTree = { version: reader.varint(), leafCount: reader.varint() };
  return { account: { nonce, balanceWei, codeHash, storageRoot, family }, storageTree };
}

// One byte of length, then little-endian 32-bit words cut to the bytes that matter: few operations on bigints.
function writeInteger(writer: RowWriter, value: bigint): void {
  if (value < 0x1_0000_0000n) {
    let rest = Number(value);
    const length = rest === 0 ? 0 : 4 - (Math.clz32(rest) >>> 3);
    writer.byte(length);
    for (; rest > 0; rest = Math.floor(rest / 256)) writer.byte(rest & 0xff);
    return;
  }
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0n) {
    let word = Number(rest & WORD);
    for (let i = 0; i < 4; i++) {
      bytes.push(word & 0xff);
      word >>>= 8;
    }
    rest >>= 32n;
  }
  while (bytes[bytes.length - 1] === 0) bytes.pop();
  writer.byte(bytes.length);
  for (const byte of bytes) writer.byte(byte);
}

function readInteger(reader: RowReader): bigint {
  const length = reader.byte();
  let value = 0n;
  let shift = 0n;
  for (let done = 0; done < length; done += 4) {
    let word = 0;
    const count = Math.min(4, length - done);
    for (let i = 0; i < count; i++) word += reader.byte() * 2 ** (8 * i);
    value |= BigInt(word) << shift;
    shift += 32n;
  }
  return value;
}

// In words of 32 bits: few operations on bigints, which are slow.
function writeLittleEndian(target: Uint8Array, from: number, to: number, value: bigint): void {
  let rest = value;
  for (let at = from; at < to; at += 4) {
    const word = rest === 0n ? 0 : Number(rest & WORD);
    target[at] = word;
    target[at + 1] = word >>> 8;
    target[at + 2] = word >>> 16;
    target[at + 3] = word >>> 24;
    if (rest !== 0n) rest >>= 32n;
  }
}
