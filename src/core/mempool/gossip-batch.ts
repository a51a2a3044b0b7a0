// Transactions on the wire: batches of raw transactions, an SSZ list of byte lists. Batching makes gossip affordable: one message
// costs every node about 0.3 ms, whatever is in it.
import { ListCompositeType } from '@chainsafe/ssz';
import type { Verdict } from '../primitives/verdict.ts';
import { accept, refuse } from '../primitives/verdict.ts';
import { TRANSACTION_BYTES_MAX } from '../protocol/limits.ts';
import { byteList, decodeCanonical } from '../protocol/ssz.ts';

/** Transactions of one batch. */
export const BATCH_TRANSACTIONS_MAX = 512;
/** Bytes of one encoded batch: one largest transaction and its framing fit. */
export const BATCH_BYTES_MAX = 160 * 1024;

const OFFSET_BYTES = 4;
const Batch = new ListCompositeType(byteList(TRANSACTION_BYTES_MAX), BATCH_TRANSACTIONS_MAX);

/** Encodes transactions in as many batches as the bounds ask for, in order. Each transaction is within the size limit. */
export function encodeTransactionBatches(raws: readonly Uint8Array[]): Uint8Array[] {
  const batches: Uint8Array[] = [];
  let batch: Uint8Array[] = [];
  let bytes = 0;
  for (const raw of raws) {
    const needed = raw.length + OFFSET_BYTES;
    if (batch.length > 0 && (batch.length === BATCH_TRANSACTIONS_MAX || bytes + needed > BATCH_BYTES_MAX)) {
      batches.push(Batch.serialize(batch));
      batch = [];
      bytes = 0;
    }
    batch.push(raw);
    bytes += needed;
  }
  if (batch.length > 0) batches.push(Batch.serialize(batch));
  return batches;
}

/** The raw transactions of a batch from a peer. Each owns its bytes (the library copies), so that one kept transaction does not keep its batch. */
export function decodeTransactionBatch(
  data: Uint8Array,
): Verdict<readonly Uint8Array[], 'too-large' | 'empty' | 'malformed' | 'not-canonical'> {
  if (data.length > BATCH_BYTES_MAX) return refuse('too-large', `${data.length} bytes, at most ${BATCH_BYTES_MAX}`);
  const decoded = decodeCanonical(Batch, data);
  if (!decoded.ok) return decoded;
  if (decoded.value.length === 0) return refuse('empty', 'a batch holds at least one transaction');
  return accept(decoded.value);
}
