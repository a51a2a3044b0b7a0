// How far a shard's state is: the rows that say which version is the committed one, which is the oldest kept, how far pruning has come, and
// when the shard was last split or merged. Each shard has its own, so that shards over the same rows go on independently.
import { uint64At, uint64ToBytes } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { ChainId, Height } from '../primitives/ids.ts';
import { committedRowKey, lastClosedRowKey, oldestRowKey, prunedRowKey } from './row-keys.ts';
import type { RowOperation, StateRows } from './state-rows.ts';

const HEIGHT_BYTES = 8;

/** The committed height, and the oldest that is kept. */
export interface StateHead {
  readonly committed: Height;
  readonly oldest: Height;
}

/** What these rows say of a shard; undefined before the first version, and where the shard is none any more. */
export function readHead(rows: StateRows, shard: ChainId): StateHead | undefined {
  const committed = rows.get(committedRowKey(shard));
  const oldest = rows.get(oldestRowKey(shard));
  if (committed === undefined || oldest === undefined) return undefined;
  return { committed: heightOf(committed), oldest: heightOf(oldest) };
}

/** Below which version pruning has left nothing. */
export function readPruned(rows: StateRows, shard: ChainId): Height {
  const pruned = rows.get(prunedRowKey(shard));
  return pruned === undefined ? 0 : heightOf(pruned);
}

/** The height at which the shard was last split or merged, as far as its versions before are still there. */
export function readLastClosed(rows: StateRows, shard: ChainId): Height | undefined {
  const lastClosed = rows.get(lastClosedRowKey(shard));
  return lastClosed === undefined ? undefined : heightOf(lastClosed);
}

/** The row that says which version is the committed one. */
export function committedRow(shard: ChainId, height: Height): RowOperation {
  return { type: 'put', key: committedRowKey(shard), value: uint64ToBytes(height) };
}

/** The row that says which version is the oldest one kept. */
export function oldestRow(shard: ChainId, height: Height): RowOperation {
  return { type: 'put', key: oldestRowKey(shard), value: uint64ToBytes(height) };
}

/** The row that says below which version pruning has left nothing. */
export function prunedRow(shard: ChainId, height: Height): RowOperation {
  return { type: 'put', key: prunedRowKey(shard), value: uint64ToBytes(height) };
}

/** The row that says when a shard was last split or merged; undefined: of that nothing is left. */
export function lastClosedRow(shard: ChainId, height: Height | undefined): RowOperation {
  const key = lastClosedRowKey(shard);
  return height === undefined ? { type: 'delete', key } : { type: 'put', key, value: uint64ToBytes(height) };
}

/** The operations after which a shard has no committed version. */
export function withoutHead(shard: ChainId): readonly RowOperation[] {
  return [committedRowKey(shard), oldestRowKey(shard), prunedRowKey(shard)].map((key) => ({ type: 'delete', key }));
}

function heightOf(row: Uint8Array): Height {
  invariant(row.length === HEIGHT_BYTES, 'a height is stored alone');
  return uint64At(row, 0);
}
