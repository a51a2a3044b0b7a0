// Going back and forgetting: rollback by the old values of change rows, pruning by the rows of nodes that later versions made superfluous.
import { uint64At, uint64ToBytes } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Height } from '../primitives/ids.ts';
import { readChangeRow, undo } from './change-rows.ts';
import { RowReader, RowWriter } from './row-encoding.ts';
import { COMMITTED_KEY, heightOfRowKey, historyRange, OLDEST_KEY, PRUNED_KEY, STATE_ROW } from './row-keys.ts';
import type { RowOperation, StateRows } from './state-rows.ts';

/** Operations of one batch of pruning at most: about 1.5 ms in which nothing else runs, and a bounded loss if it is lost. */
const PRUNE_OPERATIONS_MAX = 512;
const PRUNE_HEIGHTS_MAX = 64;
const ROWS_MAX = Number.MAX_SAFE_INTEGER;
const HEIGHT_BYTES = 8;

const writer = new RowWriter();

/** The committed height, and the oldest that is kept. */
export interface StateHead {
  readonly committed: Height;
  readonly oldest: Height;
}

/** The row that says which version is the committed one. */
export function committedRow(height: Height): RowOperation {
  return { type: 'put', key: COMMITTED_KEY, value: uint64ToBytes(height) };
}

/** The row that says which version is the oldest one kept. */
export function oldestRow(height: Height): RowOperation {
  return { type: 'put', key: OLDEST_KEY, value: uint64ToBytes(height) };
}

/** What these rows say; undefined before the first version. */
export function readHead(rows: StateRows): StateHead | undefined {
  const committed = rows.get(COMMITTED_KEY);
  const oldest = rows.get(OLDEST_KEY);
  if (committed === undefined || oldest === undefined) return undefined;
  return { committed: heightOf(committed), oldest: heightOf(oldest) };
}

function heightOf(row: Uint8Array): Height {
  invariant(row.length === HEIGHT_BYTES, 'a height is stored alone');
  return uint64At(row, 0);
}

/** The row of a version's superfluous nodes. */
export function encodeStaleKeys(keys: readonly Uint8Array[]): Uint8Array {
  for (const key of keys) writer.blob(key);
  return writer.finish();
}

/** The operations that undo every version above `height`. */
export async function rollbackOperations(rows: StateRows, head: StateHead, height: Height): Promise<readonly RowOperation[]> {
  invariant(height >= head.oldest && height <= head.committed, 'a rollback goes to a version that is kept');
  const undone = new Map<string, RowOperation>();
  const removed: RowOperation[] = [];
  const above = (kind: number): { readonly gte: Uint8Array; readonly lt: Uint8Array; readonly limit: number } => ({
    ...historyRange(kind, height + 1, head.committed + 1),
    limit: ROWS_MAX,
  });
  // Newest first: of several old values of one row, the oldest is the last to be put into the map.
  for await (const row of rows.iterate({ ...above(STATE_ROW.change), reverse: true })) {
    undo(readChangeRow(row.value), undone);
    removed.push({ type: 'delete', key: row.key });
  }
  for (const kind of [STATE_ROW.node, STATE_ROW.stale, STATE_ROW.root]) {
    for await (const row of rows.iterate(above(kind))) removed.push({ type: 'delete', key: row.key });
  }
  return [...undone.values(), ...removed, committedRow(height)];
}

/**
 * The operations that forget everything that only versions below `keepFrom` need, in batches that each leave the state whole: the
 * first says that those versions are gone. What a pruning that was broken off left is found again by the next.
 */
export async function* pruneBatches(rows: StateRows, keepFrom: Height): AsyncGenerator<readonly RowOperation[]> {
  let next: RowOperation[] = [oldestRow(keepFrom)];
  for (let from = await firstHistoryHeight(rows); from <= keepFrom; from += PRUNE_HEIGHTS_MAX) {
    for await (const operation of pruneHeights(rows, from, Math.min(keepFrom, from + PRUNE_HEIGHTS_MAX - 1), keepFrom)) {
      next.push(operation);
      if (next.length < PRUNE_OPERATIONS_MAX) continue;
      yield next;
      next = [];
    }
  }
  next.push({ type: 'put', key: PRUNED_KEY, value: uint64ToBytes(keepFrom) });
  yield next;
}

// Every version has a root row, and pruning takes the row of a height away last.
async function firstHistoryHeight(rows: StateRows): Promise<Height> {
  const pruned = rows.get(PRUNED_KEY);
  const from = pruned === undefined ? 0 : heightOf(pruned);
  for await (const { key } of rows.iterate({ ...historyRange(STATE_ROW.root, from, Number.MAX_SAFE_INTEGER), limit: 1 }))
    return heightOfRowKey(key);
  return from;
}

// Nodes that are superfluous since `keepFrom` or before serve no version from `keepFrom` on; nor do change rows up to it. Heights [from, to].
async function* pruneHeights(rows: StateRows, from: Height, to: Height, keepFrom: Height): AsyncGenerator<RowOperation> {
  const between = (kind: number): { readonly gte: Uint8Array; readonly lt: Uint8Array; readonly limit: number } => ({
    ...historyRange(kind, from, to + 1),
    limit: ROWS_MAX,
  });
  for await (const row of rows.iterate(between(STATE_ROW.stale))) {
    const reader = new RowReader(row.value);
    while (!reader.isAtEnd) yield { type: 'delete', key: reader.blob() };
    yield { type: 'delete', key: row.key };
  }
  for await (const row of rows.iterate(between(STATE_ROW.change))) yield { type: 'delete', key: row.key };
  for await (const row of rows.iterate(between(STATE_ROW.root))) {
    if (heightOfRowKey(row.key) < keepFrom) yield { type: 'delete', key: row.key };
  }
}
