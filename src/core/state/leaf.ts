// Leaves of both kinds of tree: an account, a pointer, or a storage slot (parameters, "leaf tags"). A leaf's hash is
// SHA-256(tag ‖ key ‖ SHA-256(value)): 65 bytes, so no leaf can pass for an inner node, which hashes exactly 64.
import { sha256 } from '../crypto/sha256.ts';
import { invariant } from '../primitives/errors.ts';
import type { Address, Bytes32 } from '../primitives/ids.ts';
import { type AccountRecord, encodeAccountLeaf, readAccountRow, writeAccountRow } from './account-codec.ts';
import { RowWriter } from './row-encoding.ts';

/** What a leaf is; part of its hash. */
export const LEAF_TAG = { account: 0, pointer: 1, slot: 2 } as const;

/**
 * A leaf in the tree: its key, its hash, and its row (what the database keeps of it). Immutable and shared between versions.
 */
export interface Leaf {
  readonly tag: number;
  readonly key: Bytes32;
  readonly hash: Bytes32;
  readonly row: Uint8Array;
}

const preimage = new Uint8Array(65);
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
  const row = accountRow(record);
  return { tag: LEAF_TAG.account, key, hash: leafHash(LEAF_TAG.account, key, encodeAccountLeaf(record.account)), row };
}

/** The row of an account's leaf. */
export function accountRow(record: AccountRecord): Uint8Array {
  writeAccountRow(writer, record);
  return writer.finish();
}

/** A leaf as the current state keeps it: its row with the tag in front. */
export function currentRow(tag: number, row: Uint8Array): Uint8Array {
  const current = new Uint8Array(1 + row.length);
  current[0] = tag;
  current.set(row, 1);
  return current;
}

/** The leaf of a pointer, whose value is the family. */
export function pointerLeaf(key: Bytes32, family: Address): Leaf {
  return { tag: LEAF_TAG.pointer, key, hash: leafHash(LEAF_TAG.pointer, key, family), row: family };
}

/** The leaf of a storage slot; `value` is 32 bytes and not zero. */
export function slotLeaf(key: Bytes32, value: Bytes32): Leaf {
  return { tag: LEAF_TAG.slot, key, hash: leafHash(LEAF_TAG.slot, key, value), row: slotRow(value) };
}

/** The leaf that a row stands for. */
export function leafOfRow(tag: number, key: Bytes32, row: Uint8Array): Leaf {
  return { tag, key, hash: leafHash(tag, key, committedValue(tag, row)), row };
}

/** What the leaf's hash commits, from the row. */
export function committedValue(tag: number, row: Uint8Array): Uint8Array {
  if (tag === LEAF_TAG.account) return encodeAccountLeaf(readAccountRow(row).account);
  if (tag === LEAF_TAG.slot) return slotValueOfRow(row);
  invariant(tag === LEAF_TAG.pointer, 'a leaf is an account, a pointer or a slot');
  return row;
}

/** The 32-byte value of a slot's row. */
export function slotValueOfRow(row: Uint8Array): Bytes32 {
  const value = new Uint8Array(32);
  value.set(row, 32 - row.length);
  return value;
}

/** The row of a slot's leaf: its value without leading zeros. */
export function slotRow(value: Bytes32): Uint8Array {
  let zeros = 0;
  while (zeros < value.length && value[zeros] === 0) zeros++;
  return value.slice(zeros);
}
