// What a version changed, as rows: old and new values of leaves and slots by state key. A shard is rolled back by the old ones; the new
// ones are what a node that has the version before must fetch. One row holds a run of neighbouring keys and begins at the first, so
// a shard's changes are a range whatever the layout was.
import { bytesToHex } from '../primitives/bytes.ts';
import type { Bytes32, Height } from '../primitives/ids.ts';
import { RowReader, RowWriter } from './row-encoding.ts';
import { changeRowKey, leafRowKey, slotRowKey } from './row-keys.ts';
import type { RowOperation } from './state-rows.ts';

/** A key and two lengths. */
const SLOT_BYTES_MIN = 34;
/** Leaves of one row at most. */
const LEAVES_PER_ROW_MAX = 128;

/** A slot's rows before and after; undefined where there is none. */
export interface SlotRows {
  readonly key: Bytes32;
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array | undefined;
}

/** A leaf's rows before and after, and those of its slots. */
export interface LeafRows {
  readonly key: Bytes32;
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array | undefined;
  readonly slots: readonly SlotRows[];
}

const writer = new RowWriter();
const NONE = new Uint8Array();

/** The rows of the changes of one version; `leaves` are in order of their keys. */
export function changeRows(height: Height, leaves: readonly LeafRows[]): readonly RowOperation[] {
  const operations: RowOperation[] = [];
  for (let from = 0; from < leaves.length; from += LEAVES_PER_ROW_MAX) {
    const run = leaves.slice(from, from + LEAVES_PER_ROW_MAX);
    for (const leaf of run) writeLeaf(leaf);
    operations.push({ type: 'put', key: changeRowKey(height, (run[0] as LeafRows).key), value: writer.finishInChunk() });
  }
  return operations;
}

/** The changes that a row holds. */
export function readChangeRow(row: Uint8Array): readonly LeafRows[] {
  const reader = new RowReader(row);
  const leaves: LeafRows[] = [];
  while (!reader.isAtEnd) leaves.push(readLeaf(reader));
  return leaves;
}

/** The operations on current rows that make changes undone, by the name of the row: of several, the oldest must come last. */
export function undo(leaves: readonly LeafRows[], operations: Map<string, RowOperation>): void {
  for (const leaf of leaves) {
    setRow(operations, leafRowKey(leaf.key), leaf.before);
    for (const slot of leaf.slots) setRow(operations, slotRowKey(leaf.key, slot.key), slot.before);
  }
}

/** The operation that makes a row what it is to be. */
export function rowOperation(key: Uint8Array, value: Uint8Array | undefined): RowOperation {
  return value === undefined ? { type: 'delete', key } : { type: 'put', key, value };
}

function setRow(operations: Map<string, RowOperation>, key: Uint8Array, value: Uint8Array | undefined): void {
  operations.set(bytesToHex(key), rowOperation(key, value));
}

// No row is empty (a slot that is zero has none), so an empty value stands for none.
function writeLeaf({ key, before, after, slots }: LeafRows): void {
  writer.bytes(key);
  writer.blob(before ?? NONE);
  writer.blob(after ?? NONE);
  writer.varint(slots.length);
  for (const slot of slots) {
    writer.bytes(slot.key);
    writer.blob(slot.before ?? NONE);
    writer.blob(slot.after ?? NONE);
  }
}

function readLeaf(reader: RowReader): LeafRows {
  const key = reader.bytes(32);
  const before = readOptional(reader);
  const after = readOptional(reader);
  const slots = Array.from({ length: reader.count(SLOT_BYTES_MIN) }, () => ({
    key: reader.bytes(32),
    before: readOptional(reader),
    after: readOptional(reader),
  }));
  return { key, before, after, slots };
}

function readOptional(reader: RowReader): Uint8Array | undefined {
  const bytes = reader.blob();
  return bytes.length === 0 ? undefined : bytes;
}
