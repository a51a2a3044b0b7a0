// The port of the database: an ordered map of byte strings with atomic batches. One database a node; every room's rows live in it
// under a first byte of their own (schema.ts), so that everything that one block changes is one batch. Callers name no library.
import type { Row, RowOperation, RowRange } from '../core/state/state-rows.ts';

/** An ordered map of rows on some medium. Arrays handed in must not be modified afterwards; what comes out belongs to the caller. */
export interface KeyValueStore {
  /** The row's value, or undefined. Synchronous: the EVM reads in its innermost loop. Throws `storage/corrupt` where the checksum is wrong. */
  get(key: Uint8Array): Uint8Array | undefined;
  /** Applies all operations or none, in order; with `sync`, they survive a loss of power once this resolves (without, only of the process). */
  write(batch: readonly RowOperation[], options: { readonly sync: boolean }): Promise<void>;
  /** The rows of a range as they were when the iteration began. */
  iterate(range: RowRange): AsyncIterable<Row>;
  close(): Promise<void>;
}
