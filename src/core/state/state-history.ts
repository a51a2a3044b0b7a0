// Going back and forgetting: rollback by the old values of change rows, pruning by the rows of nodes that later versions made superfluous.
// Both touch the rows of one shard only, and of the shards that it came from.
import { bytesToHex } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Height } from '../primitives/ids.ts';
import { intersects } from '../protocol/shard-id.ts';
import { readChangeRow, undo } from './change-rows.ts';
import { type ClosedLife, closedLifeRow, closedLives } from './closed-life.ts';
import { RowReader, RowWriter } from './row-encoding.ts';
import { changeRanges, closedRowKey, historyRange, isNodeRowOf, rootRowKey, STATE_ROW, staleRowKey } from './row-keys.ts';
import { lastClosedRow, oldestRow, prunedRow, readLastClosed, readPruned, type StateHead } from './shard-head.ts';
import type { RowOperation, StateRows } from './state-rows.ts';
import { type Subtree, subtreeOf } from './subtree.ts';

/** Operations of one batch at most: about 1.5 ms in which nothing else runs, and a bounded loss if it is lost. */
const BATCH_OPERATIONS_MAX = 512;
/** Heights whose change rows are read at once. */
const HEIGHTS_MAX = 64;
const ROWS_MAX = Number.MAX_SAFE_INTEGER;

const writer = new RowWriter();

/** The row of a version's superfluous nodes. */
export function encodeStaleKeys(keys: readonly Uint8Array[]): Uint8Array {
  for (const key of keys) writer.blob(key);
  return writer.finish();
}

/** The keys that such a row holds. */
export function readStaleKeys(row: Uint8Array): readonly Uint8Array[] {
  const reader = new RowReader(row);
  const keys: Uint8Array[] = [];
  while (!reader.isAtEnd) keys.push(reader.blob());
  return keys;
}

/** The operations that undo every version of a shard above `height`; the caller adds which is the committed one then. */
export async function rollbackOperations(
  rows: StateRows,
  subtree: Subtree,
  head: StateHead,
  height: Height,
): Promise<readonly RowOperation[]> {
  invariant(height >= head.oldest && height <= head.committed, 'a rollback goes to a version that is kept');
  const { shard } = subtree;
  const undone = new Map<string, RowOperation>();
  const removed: RowOperation[] = [];
  // Newest first: of several old values of one row, the oldest is the last to be put into the map.
  for (const range of [...changeRanges(subtree, height + 1, head.committed + 1)].reverse()) {
    for await (const row of rows.iterate({ ...range, limit: ROWS_MAX, reverse: true })) {
      undo(readChangeRow(row.value), undone);
      removed.push({ type: 'delete', key: row.key });
    }
  }
  for await (const { key } of rows.iterate({ ...historyRange(STATE_ROW.node, height + 1, head.committed + 1), limit: ROWS_MAX })) {
    if (isNodeRowOf(subtree, key)) removed.push({ type: 'delete', key });
  }
  for (let at = height + 1; at <= head.committed; at++) {
    removed.push({ type: 'delete', key: staleRowKey(at, shard) }, { type: 'delete', key: rootRowKey(at, shard) });
  }
  return [...undone.values(), ...removed];
}

/**
 * The operations that forget everything that only versions of the shard below `keepFrom` need, in batches that each leave the state
 * whole: the first says that those versions are gone. What a pruning that was broken off left is found again by the next.
 *
 * Shards that it came from are forgotten whole when the last of their versions is: what this shard's versions up to `keepFrom` made
 * superfluous was theirs.
 */
export async function* pruneBatches(rows: StateRows, subtree: Subtree, keepFrom: Height): AsyncGenerator<readonly RowOperation[]> {
  const lives = livesForgottenWith(await closedLives(rows), (life) => intersects(life.shard, subtree.shard) && life.end < keepFrom);
  yield* inBatches(pruneOperations(rows, subtree, keepFrom, lives));
}

/** The lives that `isForgotten` picks, and those before them in the same part of the tree: their versions share nodes. */
export function livesForgottenWith(lives: readonly ClosedLife[], isForgotten: (life: ClosedLife) => boolean): readonly ClosedLife[] {
  const forgotten = new Set(lives.filter(isForgotten));
  // A set is walked through with what is added on the way.
  for (const { shard, end } of forgotten) {
    for (const life of lives) if (life.end <= end && intersects(life.shard, shard)) forgotten.add(life);
  }
  return [...forgotten];
}

/** Says that the versions of lives are gone: written before any of their rows is removed. */
export function forgetLives(lives: readonly ClosedLife[]): readonly RowOperation[] {
  return lives.filter(({ isForgotten }) => !isForgotten).map((life) => closedLifeRow({ ...life, isForgotten: true }));
}

/** Removes what is left of a life that is forgotten. */
export async function* removeLife(rows: StateRows, life: ClosedLife): AsyncGenerator<RowOperation> {
  const { shard, end, pruned, endBefore } = life;
  yield* historyOperations(rows, subtreeOf(shard), pruned, end, end + 1);
  for (const key of life.nodeKeys) yield { type: 'delete', key };
  if (readLastClosed(rows, shard) === end) yield lastClosedRow(shard, endBefore);
  yield { type: 'delete', key: closedRowKey(shard, end) };
}

/** Operations as batches of a bounded size. */
export async function* inBatches(operations: AsyncIterable<RowOperation>): AsyncGenerator<readonly RowOperation[]> {
  let next: RowOperation[] = [];
  for await (const operation of operations) {
    next.push(operation);
    if (next.length < BATCH_OPERATIONS_MAX) continue;
    yield next;
    next = [];
  }
  if (next.length > 0) yield next;
}

async function* pruneOperations(
  rows: StateRows,
  subtree: Subtree,
  keepFrom: Height,
  lives: readonly ClosedLife[],
): AsyncGenerator<RowOperation> {
  yield oldestRow(subtree.shard, keepFrom);
  yield* forgetLives(lives);
  yield* historyOperations(rows, subtree, readPruned(rows, subtree.shard), keepFrom, keepFrom);
  for (const life of lives) yield* removeLife(rows, life);
  yield prunedRow(subtree.shard, keepFrom);
}

// Nodes that are superfluous since `to` or before serve no version from `to` on; nor do change rows up to it, nor roots below `rootsTo`.
async function* historyOperations(
  rows: StateRows,
  subtree: Subtree,
  from: Height,
  to: Height,
  rootsTo: Height,
): AsyncGenerator<RowOperation> {
  const { shard } = subtree;
  for (let start = from; start <= to; start += HEIGHTS_MAX) {
    const end = Math.min(to, start + HEIGHTS_MAX - 1);
    for (let height = start; height <= end; height++) {
      const key = staleRowKey(height, shard);
      const row = rows.get(key);
      if (row === undefined) continue;
      for (const stale of readStaleKeys(row)) yield { type: 'delete', key: stale };
      yield { type: 'delete', key };
    }
    // The first version has none, and at its height those of the shards before it may lie.
    for (const range of changeRanges(subtree, Math.max(start, from + 1), end + 1)) {
      for await (const row of rows.iterate({ ...range, limit: ROWS_MAX })) yield { type: 'delete', key: row.key };
    }
    for (let height = start; height <= end && height < rootsTo; height++) yield { type: 'delete', key: rootRowKey(height, shard) };
  }
}

/** Names of keys. */
export function keyNames(keys: Iterable<Uint8Array>): ReadonlySet<string> {
  return new Set([...keys].map(bytesToHex));
}
