// Refuses a database that has lost blocks. When LevelDB opens and meets a damaged part of its write-ahead log, it skips that part
// without a word: whole batches are gone, and the node would run on with holes in its chain and its state. Each block is one batch,
// so a lost batch is a number whose rows are missing. Only what the log held can go so; tables have checksums of ours in each row.
//
// A lost end of the chain is no hole: it is as if the node had stopped earlier, and it catches up.
import { CoppiceError } from '../core/primitives/errors.ts';
import { VIEW_RANGE_MAX, type ViewStore } from '../storage/view-store.ts';
import '../storage/errors.ts';

/** Newest blocks that a start looks for: more than the log and the one before it hold, 16 MiB each at some 3 KB a block. */
export const CHECKED_BLOCKS_MAX = 16_384;

/** Throws `storage/incomplete` when block 0 or one of the newest blocks up to `newest` is missing. */
export async function refuseMissingBlocks(viewStore: ViewStore, newest: number): Promise<void> {
  if (viewStore.getHeader(0) === undefined) throw new CoppiceError('storage/incomplete', { missing: 0, newest });
  const first = Math.max(0, newest - CHECKED_BLOCKS_MAX + 1);
  for (let from = first; from <= newest; from += VIEW_RANGE_MAX) {
    const to = Math.min(newest, from + VIEW_RANGE_MAX - 1);
    const headers = await viewStore.readHeaders(from, to);
    if (headers.length === to - from + 1) continue;
    const hole = headers.findIndex(({ number }, index) => number !== from + index);
    throw new CoppiceError('storage/incomplete', { missing: from + (hole === -1 ? headers.length : hole), newest });
  }
}
