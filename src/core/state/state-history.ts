// Going back and forgetting: rollback by the old values of change rows, pruning by the rows of nodes that later versions made superfluous.
import { invariant } from '../primitives/errors.ts';
import type { Height } from '../primitives/ids.ts';
import { readChangeRow, undo } from './change-rows.ts';
import { RowReader, RowWriter } from './row-encoding.ts';
import { HEAD_KEY, heightOfRowKey, historyRange, STATE_ROW } from './row-keys.ts';
import type { Row, RowOperation, StateRows } from './state-rows.ts';

/** The committed height, and the oldest that is kept. */
export interface StateHead {
  readonly committed: Height;
  readonly oldest: Height;
}

/** Operations of one batch of pruning at about most: a small pause, and a bounded loss if it is lost. */
const PRUNE_OPERATIONS_MAX = 4_096;
const PRUNE_HEIGHTS_MAX = 64;
const ROWS_MAX = Number.MAX_SAFE_INTEGER;

const writer = new RowWriter();

/** The row that says where the state stands. */
export function headRow(head: StateHead): RowOperation {
  writer.varint(head.committed);
  writer.varint(head.oldest);
  return { type: 'put', key: HEAD_KEY, value: writer.finish() };
}

/** What that row says; undefined before the first version. */
export function readHead(rows: StateRows): StateHead | undefined {
  const row = rows.get(HEAD_KEY);
  if (row === undefined) return undefined;
  const reader = new RowReader(row);
  return { committed: reader.varint(), oldest: reader.varint() };
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
  return [...undone.values(), ...removed, headRow({ ...head, committed: height })];
}

/** The operations that forget everything that only versions below `keepFrom` need, in batches each of which leaves the state whole. */
export async function* pruneBatches(
  rows: StateRows,
  readCurrentHead: () => StateHead,
  keepFrom: Height,
): AsyncGenerator<readonly RowOperation[]> {
  const { oldest } = readCurrentHead();
  if (keepFrom <= oldest) return;
  let next: RowOperation[] = [];
  let from = oldest;
  while (from < keepFrom) {
    const to = Math.min(keepFrom, from + PRUNE_HEIGHTS_MAX);
    for await (const operation of pruneHeights(rows, from, to)) {
      next.push(operation);
      if (next.length < PRUNE_OPERATIONS_MAX) continue;
      yield [...next, headRow({ ...readCurrentHead(), oldest: to })];
      next = [];
    }
    from = to;
  }
  yield [...next, headRow({ ...readCurrentHead(), oldest: keepFrom })];
}

// Nodes that are superfluous since `keepFrom` or before serve no version from `keepFrom` on; nor do change rows up to it.
async function* pruneHeights(rows: StateRows, from: Height, to: Height): AsyncGenerator<RowOperation> {
  for await (const row of rows.iterate({ ...historyRange(STATE_ROW.stale, from, to + 1), limit: ROWS_MAX })) {
    const reader = new RowReader(row.value);
    while (!reader.isAtEnd) yield { type: 'delete', key: reader.blob() };
    yield { type: 'delete', key: row.key };
  }
  for await (const row of rows.iterate({ ...historyRange(STATE_ROW.change, from, to + 1), limit: ROWS_MAX }))
    yield { type: 'delete', key: row.key };
  for await (const row of rows.iterate({ ...historyRange(STATE_ROW.root, from, to), limit: ROWS_MAX }))
    yield { type: 'delete', key: row.key };
}
