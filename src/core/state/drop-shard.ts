// Removing a shard that a node no longer follows: all rows of its part of the tree, in batches. Its neighbours' are left as they are; what
// it shares with a shard that both came from goes for both, since without this part its versions cannot be read. Code stays: others may
// have the same.
//
// The first batch says that the shard is gone, and that rows of it may be left: what was broken off is begun again with the same outcome.
import { invariant } from '../primitives/errors.ts';
import type { ChainId } from '../primitives/ids.ts';
import { contains, intersects } from '../protocol/shard-id.ts';
import { closedLives } from './closed-life.ts';
import {
  currentRange,
  isChangeRowOf,
  isNodeRowOf,
  kindRange,
  STATE_ROW,
  shardOfCommittedRow,
  shardOfHistoryRow,
  shardOfUncleanRow,
  uncleanRowKey,
} from './row-keys.ts';
import { lastClosedRow, withoutHead } from './shard-head.ts';
import { forgetLives, inBatches, livesForgottenWith, removeLife } from './state-history.ts';
import type { RowOperation, StateRows } from './state-rows.ts';
import type { Subtree } from './subtree.ts';

const ROWS_MAX = Number.MAX_SAFE_INTEGER;
const MARK = Uint8Array.of(1);

/** The row that says that there may be rows of a shard that count for nothing. */
export function uncleanRow(shard: ChainId): RowOperation {
  return { type: 'put', key: uncleanRowKey(shard), value: MARK };
}

/** The shards of which such rows are left in the part of the tree that `shard` has. */
export async function uncleanShards(rows: StateRows, shard: ChainId): Promise<readonly ChainId[]> {
  const unclean: ChainId[] = [];
  for await (const { key } of rows.iterate({ ...kindRange(STATE_ROW.unclean), limit: ROWS_MAX })) {
    if (intersects(shardOfUncleanRow(key), shard)) unclean.push(shardOfUncleanRow(key));
  }
  return unclean;
}

/** The batches that remove a shard. No other shard with a part of it may be in use. */
export async function* dropBatches(rows: StateRows, subtree: Subtree): AsyncGenerator<readonly RowOperation[]> {
  await requireAlone(rows, subtree.shard);
  yield* inBatches(dropOperations(rows, subtree));
}

/** Asserts that no other shard over these rows has a part of this one. */
export async function requireAlone(rows: StateRows, shard: ChainId): Promise<void> {
  for await (const { key } of rows.iterate({ ...kindRange(STATE_ROW.committed), limit: ROWS_MAX })) {
    const other = shardOfCommittedRow(key);
    invariant(other === shard || !intersects(other, shard), `shard ${other} has a part of shard ${shard}`);
  }
}

async function* dropOperations(rows: StateRows, subtree: Subtree): AsyncGenerator<RowOperation> {
  const { shard } = subtree;
  const all = await closedLives(rows);
  const lives = livesForgottenWith(all, (life) => intersects(life.shard, shard));
  yield uncleanRow(shard);
  yield* withoutHead(shard);
  yield* forgetLives(lives);
  for (const kind of [STATE_ROW.leaf, STATE_ROW.slot]) yield* removeWhere(rows, currentRange(subtree, kind), () => true);
  yield* removeWhere(rows, kindRange(STATE_ROW.node), (key) => isNodeRowOf(subtree, key));
  yield* removeWhere(rows, kindRange(STATE_ROW.change), (key) => isChangeRowOf(subtree, key));
  for (const kind of [STATE_ROW.root, STATE_ROW.stale]) {
    yield* removeWhere(rows, kindRange(kind), (key) => contains(shard, shardOfHistoryRow(key)));
  }
  for (const life of lives) yield* removeLife(rows, life);
  yield lastClosedRow(shard, undefined);
  yield { type: 'delete', key: uncleanRowKey(shard) };
}

async function* removeWhere(
  rows: StateRows,
  range: { readonly gte: Uint8Array; readonly lt: Uint8Array },
  isRemoved: (key: Uint8Array) => boolean,
): AsyncGenerator<RowOperation> {
  for await (const { key } of rows.iterate({ ...range, limit: ROWS_MAX })) if (isRemoved(key)) yield { type: 'delete', key };
}
