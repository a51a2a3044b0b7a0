// The signing record: the one thing that a validator must never lose or find older than it was (protocol, section 3, "Durable before
// spoken"). It is a file of its own, synced before any signature leaves the node, about three times a block.
//
// Two slots of fixed size are written in turn, in place: no rename, no change of the file's size, so one fdatasync is one write to
// the medium. A slot holds the record twice, each copy (mark, counter, length, checksum, content) at the beginning of a page; reading takes the whole
// copy with the highest counter. A write that tears leaves the other slot, which is the record before: the write had not resolved, so
// nothing was signed by it. Bits that rot damage one copy of the newest record and leave the other: with one copy alone, rot would look like
// a write that tore, and the node would go on from the record before, having forgotten what it signed last.
import { sha256 } from '../core/crypto/sha256.ts';
import { bytesEqual } from '../core/primitives/bytes.ts';
import { CoppiceError, invariant } from '../core/primitives/errors.ts';
import type { FileStore, SlotFile } from './file-store.ts';

/** Content of one record at most: a QC and a TC of the largest committee (2,048 members) take about 20 KiB. */
export const SIGNING_RECORD_BYTES_MAX = 32 * 1024 - 64;

const SLOT_BYTES = 64 * 1024;
const SLOTS = 2;
/** What a disk loses at once is within a page, as a rule: the two copies never share one. */
const PAGE_BYTES = 4096;
const MARK = 0x43_50_53_52; // "CPSR"
/** The counter of a record that nothing was written to. */
const FRESH_COUNTER = 1;
const CHECKSUM_BYTES = 32;
// mark u32, length u32, counter u64, checksum.
const HEAD_BYTES = 16 + CHECKSUM_BYTES;

interface Slot {
  readonly counter: number;
  readonly content: Uint8Array;
}

/** The open record of one instance. */
export interface SigningRecord {
  /** The content last written, or undefined for a new record. */
  read(): Uint8Array | undefined;
  /** Replaces the content; durable when it resolves. Calls are carried out one by one in order. */
  write(content: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Opens the record at `path`, making it when missing; throws `storage/corrupt` when something was written and no slot is whole. */
export async function openSigningRecord(files: FileStore, path: string): Promise<SigningRecord> {
  const file = await files.openSlots(path, freshFile());
  const newest = newestSlot(file.initialBytes);
  if (newest === undefined) {
    await file.close();
    throw new CoppiceError('storage/corrupt', {
      path,
      detail: 'no slot of the signing record is whole: signing on could contradict what was signed',
    });
  }
  return recordOver(file, newest);
}

/** The content that a record's file holds, as opening it would read it: undefined for a new record, and where no slot is whole. */
export function signingRecordIn(file: Uint8Array): Uint8Array | undefined {
  const newest = newestSlot(file);
  return newest === undefined || newest.counter === FRESH_COUNTER ? undefined : newest.content;
}

function newestSlot(file: Uint8Array): Slot | undefined {
  let newest: Slot | undefined;
  for (let index = 0; index < SLOTS; index++) {
    const slot = readSlot(file.subarray(index * SLOT_BYTES, (index + 1) * SLOT_BYTES));
    if (slot !== undefined && slot.counter > (newest?.counter ?? 0)) newest = slot;
  }
  return newest;
}

function recordOver(file: SlotFile, found: Slot): SigningRecord {
  let newest = found;
  let last: Promise<void> = Promise.resolve();

  const writeNext = async (content: Uint8Array): Promise<void> => {
    const counter = newest.counter + 1;
    await file.writeSynced((counter % SLOTS) * SLOT_BYTES, encodeSlot(counter, content));
    newest = { counter, content };
  };

  return {
    read: () => (newest.counter === FRESH_COUNTER ? undefined : newest.content.slice()),
    write(content) {
      invariant(content.length <= SIGNING_RECORD_BYTES_MAX, `a signing record fits ${SIGNING_RECORD_BYTES_MAX} bytes`);
      const owned = content.slice();
      // After a failure the medium's state is unknown: every later write fails too, and the node stops signing.
      last = last.then(() => writeNext(owned));
      return last;
    },
    async close() {
      await last.catch(() => undefined);
      await file.close();
    },
  };
}

// A new file already holds one whole slot, which says that nothing was signed: so no whole slot always means damage, never a beginning.
function freshFile(): Uint8Array {
  const bytes = new Uint8Array(SLOTS * SLOT_BYTES);
  bytes.set(encodeSlot(FRESH_COUNTER, new Uint8Array()), (FRESH_COUNTER % SLOTS) * SLOT_BYTES);
  return bytes;
}

// Both copies in one piece: one write.
function encodeSlot(counter: number, content: Uint8Array): Uint8Array {
  const copy = encodeCopy(counter, content);
  const second = Math.ceil(copy.length / PAGE_BYTES) * PAGE_BYTES;
  const slot = new Uint8Array(second + copy.length);
  slot.set(copy);
  slot.set(copy, second);
  return slot;
}

function encodeCopy(counter: number, content: Uint8Array): Uint8Array {
  const copy = new Uint8Array(HEAD_BYTES + content.length);
  const view = new DataView(copy.buffer);
  view.setUint32(0, MARK);
  view.setUint32(4, content.length);
  view.setBigUint64(8, BigInt(counter));
  copy.set(sha256(copy.subarray(0, 16), content), 16);
  copy.set(content, HEAD_BYTES);
  return copy;
}

// Where the second copy lies depends on the length, which may have rotted with the first: so every page is looked at. Copies of earlier records that
// still lie about have lower counters.
function readSlot(slot: Uint8Array): Slot | undefined {
  let newest: Slot | undefined;
  for (let offset = 0; offset < SLOT_BYTES; offset += PAGE_BYTES) {
    if (slot[offset] !== MARK >>> 24) continue; // Most pages hold nothing.
    const copy = readCopy(slot.subarray(offset));
    if (copy !== undefined && copy.counter > (newest?.counter ?? 0)) newest = copy;
  }
  return newest;
}

function readCopy(copy: Uint8Array): Slot | undefined {
  const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
  const length = view.getUint32(4);
  if (view.getUint32(0) !== MARK || length > copy.length - HEAD_BYTES) return undefined;
  const content = copy.slice(HEAD_BYTES, HEAD_BYTES + length);
  if (!bytesEqual(sha256(copy.subarray(0, 16), content), copy.subarray(16, HEAD_BYTES))) return undefined;
  return { counter: Number(view.getBigUint64(8)), content };
}
