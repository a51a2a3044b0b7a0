// Leaves of both kinds of tree: an account, a pointer, or a storage slot (parameters, "leaf tags"). A leaf's hash is
// SHA-256(tag ‖ key ‖ SHA-256(value)): 65 bytes, so no leaf can pass for an inner node, which hashes exactly 64.
//
// A leaf's row is what the database keeps of it, in the tree, in the current state and in change sets alike: the tag, then the value,
// shorter than what is hashed where that is mostly zeros or constants.
import { sha256 } from '../crypto/sha256.ts';
import { invariant } from '../primitives/errors.ts';
import type { Address, Bytes32 } from '../primitives/ids.ts';
import { ACCOUNT_LEAF_BYTES, type AccountRecord, readAccountRow, writeAccountLeaf, writeAccountRow } from './account-codec.ts';
import { RowWriter } from './row-encoding.ts';

/** What a leaf is; part of its hash. */
export const LEAF_TAG = { account: 0, pointer: 1, slot: 2 } as const;

/**
 * A leaf in the tree. Immutable and shared between versions; a class because its hash and its account are computed when they are first
 * asked for: most leaves that are read are never hashed again, and neighbours that only hash along are never decoded.
 */
export class Leaf {
  readonly key: Bytes32;
  readonly row: Uint8Array;
  #hash: Bytes32 | undefined;
  #record: AccountRecord | undefined;

  constructor(key: Bytes32, row: Uint8Array, record?: AccountRecord) {
    this.key = key;
    this.row = row;
    this.#hash = undefined;
    this.#record = record;
  }

  get hash(): Bytes32 {
    this.#hash ??= hashOfRow(this.key, this.row);
    return this.#hash;
  }

  /** Of an account's leaf. */
  get record(): AccountRecord {
    this.#record ??= accountOfRow(this.row);
    return this.#record;
  }
}

/** A tag and an address. */
const POINTER_ROW_BYTES = 21;

const preimage = new Uint8Array(65);
const accountValue = new Uint8Array(ACCOUNT_LEAF_BYTES);
const writer = new RowWriter();

/** SHA-256(tag ‖ key ‖ SHA-256(value)). */
export function leafHash(tag: number, key: Bytes32, value: Uint8Array): Bytes32 {
  preimage[0] = tag;
  preimage.set(key, 1);
  preimage.set(sha256(value), 33);
  return sha256(preimage);
}

/** The leaf of an account. */
export function accountLeaf(key: Bytes32, record: AccountRecord): Leaf {
  return new Leaf(key, accountRow(record), record);
}

/** The row of an account's leaf. */
export function accountRow(record: AccountRecord): Uint8Array {
  writer.byte(LEAF_TAG.account);
  writeAccountRow(writer, record);
  return writer.finish();
}

/** The leaf of a pointer, whose value is the family. */
export function pointerLeaf(key: Bytes32, family: Address): Leaf {
  return new Leaf(key, tagged(LEAF_TAG.pointer, family, 0));
}

/** The leaf of a storage slot; `value` is 32 bytes and not zero. */
export function slotLeaf(key: Bytes32, value: Bytes32): Leaf {
  return new Leaf(key, slotRow(value));
}

/** The row of a slot's leaf: its value without leading zeros. */
export function slotRow(value: Bytes32): Uint8Array {
  let zeros = 0;
  while (zeros < value.length && value[zeros] === 0) zeros++;
  return tagged(LEAF_TAG.slot, value, zeros);
}

/** What a row's leaf is. */
export function tagOf(row: Uint8Array): number {
  const [tag] = row;
  invariant(tag !== undefined, 'a row begins with its tag');
  return tag;
}

/** What the leaf's hash commits, from the row. */
export function committedValue(row: Uint8Array): Uint8Array {
  const tag = tagOf(row);
  if (tag === LEAF_TAG.account) {
    const value = new Uint8Array(ACCOUNT_LEAF_BYTES);
    writeAccountLeaf(row, 1, value);
    return value;
  }
  if (tag === LEAF_TAG.slot) return slotOfRow(row);
  invariant(tag === LEAF_TAG.pointer, 'a leaf is an account, a pointer or a slot');
  return pointerOfRow(row);
}

/** The account of its leaf's row. */
export function accountOfRow(row: Uint8Array): AccountRecord {
  invariant(tagOf(row) === LEAF_TAG.account, 'the row is an account');
  return readAccountRow(row, 1);
}

/** The family of a pointer's row. */
export function pointerOfRow(row: Uint8Array): Address {
  invariant(tagOf(row) === LEAF_TAG.pointer && row.length === POINTER_ROW_BYTES, 'the row is a pointer');
  return row.slice(1);
}

/** The 32-byte value of a slot's row. */
export function slotOfRow(row: Uint8Array): Bytes32 {
  invariant(tagOf(row) === LEAF_TAG.slot && row.length <= 33 && row[1] !== 0, 'the row is a slot');
  const value = new Uint8Array(32);
  value.set(row.subarray(1), 33 - row.length);
  return value;
}

function hashOfRow(key: Bytes32, row: Uint8Array): Bytes32 {
  const tag = tagOf(row);
  if (tag !== LEAF_TAG.account) return leafHash(tag, key, committedValue(row));
  writeAccountLeaf(row, 1, accountValue);
  return leafHash(tag, key, accountValue);
}

function tagged(tag: number, value: Uint8Array, from: number): Uint8Array {
  const row = new Uint8Array(1 + value.length - from);
  row[0] = tag;
  for (let i = from; i < value.length; i++) row[1 + i - from] = value[i] as number;
  return row;
}
