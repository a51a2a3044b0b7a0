// The signing record: the one thing that a validator must never lose or find older than it was (protocol, section 3, "Durable before
// spoken"). It is a file of its own, synced before any signature leaves the node, about three times a block.
//
// Two slots of fixed size are written in turn, in place: no rename, no change of the file's size, so one fdatasync is one write to
// the medium. A slot is (counter, length, checksum, content); reading takes the valid slot with the highest counter. A write that
// tears leaves the other slot, which is the record before: its write had not resolved, so nothing was signed by it.
import type { FileStore } from './file-store.ts';

/** Content of one record at most: a QC and a TC of the largest committee. */
export const SIGNING_RECORD_BYTES_MAX = 1024 * 1024;

/** The open record of one instance. */
export interface SigningRecord {
  /** The content last written, or undefined for a new record. */
  read(): Uint8Array | undefined;
  /** Replaces the content; durable when it resolves. One at a time: calls queue up in order. */
  write(content: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Opens the record at `path` (made when missing); throws `storage/corrupt` when the file is there and no slot of it is whole. */
export type OpenSigningRecord = (files: FileStore, path: string) => Promise<SigningRecord>;
