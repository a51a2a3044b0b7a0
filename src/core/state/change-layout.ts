// Splits and merges (protocol, section 6: start records). Shards that are closed give way to others that cover the same part of the tree. No
// leaf and no node below the new roots is moved: the new shards' roots are nodes that are there already, or pages put together of their
// slots. So the work is a few pages, whatever the size of the state, and goes into one batch.
//
// The new shards start at the greatest height of the closed ones. Where these made no version of their own since the last change of layout,
// that height is the same again, and a page may come under a key that an older life has on its list of what to remove: such keys are taken
// off those lists, since the page that is written there now has an owner.
import { bytesToHex } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, ChainId, Height } from '../primitives/ids.ts';
import { contains, depthOf, intersects, SHARD_DEPTH_MAX } from '../protocol/shard-id.ts';
import { type ClosedLife, closedLifeAt, closedLifeRow, closedLives } from './closed-life.ts';
import { buildShardRoot, type OldTree } from './layout-trees.ts';
import { closedRowKey, rootRowKey, staleRowKey } from './row-keys.ts';
import { committedRow, lastClosedRow, oldestRow, prunedRow, readHead, readLastClosed, readPruned, withoutHead } from './shard-head.ts';
import { encodeStaleKeys, keyNames, readStaleKeys } from './state-history.ts';
import type { RowOperation, StateRows } from './state-rows.ts';
import type { StateDatabase } from './state-version.ts';
import { subtreeOf } from './subtree.ts';
import { decodeRoot, encodeRoot } from './tree-rows.ts';

/** Where a new shard starts. */
export interface ShardStart {
  readonly shard: ChainId;
  readonly height: Height;
  readonly root: Bytes32;
}

/**
 * The operations after which `successors` are the shards in place of `closed`, and where they start. The closed databases end here: from
 * this call on they only read. When the operations are written, in one batch, `createStateDatabase` opens the successors.
 */
export async function changeLayout(
  rows: StateRows,
  closed: readonly StateDatabase[],
  successors: readonly ChainId[],
): Promise<{ readonly operations: readonly RowOperation[]; readonly starts: readonly ShardStart[] }> {
  requireSameCover(
    closed.map(({ shard }) => shard),
    successors,
  );
  const height = Math.max(...closed.map((database) => database.close().height));
  invariant(height >= 0, 'a shard that is closed has a version');
  const lives = await closedLives(rows);
  const trees = closed.map(({ shard }) => oldTreeOf(rows, shard));
  const operations: RowOperation[] = [];
  const starts = successors.map((shard) => {
    const { root, pages } = buildShardRoot(trees, subtreeOf(shard), height);
    operations.push(...pages);
    return { shard, root };
  });
  const written = keyNames(operations.map(({ key }) => key));
  for (const tree of trees) operations.push(...closeShard(rows, tree, written));
  for (const life of lives) {
    if (life.end !== height || !closed.some(({ shard }) => intersects(shard, life.shard)) || successors.includes(life.shard)) continue;
    operations.push(closedLifeRow({ ...life, nodeKeys: without(life.nodeKeys, written) }));
  }
  for (const { shard, root } of starts) {
    operations.push(...startShard(rows, shard, height, written), {
      type: 'put',
      key: rootRowKey(height, shard),
      value: encodeRoot(root),
    });
  }
  return { operations, starts: starts.map(({ shard, root }) => ({ shard, height, root: root.hash })) };
}

function oldTreeOf(rows: StateRows, shard: ChainId): OldTree {
  const head = readHead(rows, shard);
  const row = head && rows.get(rootRowKey(head.committed, shard));
  invariant(head !== undefined && row !== undefined, `the committed version of shard ${shard} is stored`);
  const use = { loaded: 0, generation: 1, turnAt: 0 };
  const source = { rows, kind: 'account' as const, owner: undefined, subtree: subtreeOf(shard), use };
  return { source, root: decodeRoot(row), committed: head.committed, pagesLeft: new Map() };
}

// The closed shard's versions stay readable; what of its pages no successor has goes with them.
function closeShard(rows: StateRows, { source, committed, pagesLeft }: OldTree, written: ReadonlySet<string>): readonly RowOperation[] {
  const { shard } = source.subtree;
  const head = readHead(rows, shard);
  invariant(head?.committed === committed, 'a shard is closed at its committed version');
  const life: ClosedLife = {
    shard,
    end: committed,
    oldest: head.oldest,
    pruned: readPruned(rows, shard),
    endBefore: readLastClosed(rows, shard),
    isForgotten: false,
    nodeKeys: without([...pagesLeft.values()].flat(), written),
  };
  return [...withoutHead(shard), closedLifeRow(life), lastClosedRow(shard, committed)];
}

// A shard that was closed at this very height begins there again. Its versions before are no longer to be had (going back to them would undo
// what is no longer its own), and their rows are pruned as its own; pages that it had and has no more are superfluous from now on.
function startShard(rows: StateRows, shard: ChainId, height: Height, written: ReadonlySet<string>): readonly RowOperation[] {
  const life = closedLifeAt(rows, shard, height);
  if (life === undefined) return [committedRow(shard, height), oldestRow(shard, height), prunedRow(shard, height)];
  const key = staleRowKey(height, shard);
  const row = rows.get(key);
  const left = without([...(row === undefined ? [] : readStaleKeys(row)), ...life.nodeKeys], written);
  return [
    committedRow(shard, height),
    oldestRow(shard, height),
    prunedRow(shard, life.pruned),
    lastClosedRow(shard, life.endBefore),
    { type: 'delete', key: closedRowKey(shard, height) },
    left.length === 0 ? { type: 'delete', key } : { type: 'put', key, value: encodeStaleKeys(left) },
  ];
}

function without(keys: readonly Uint8Array[], written: ReadonlySet<string>): readonly Uint8Array[] {
  return keys.filter((key) => !written.has(bytesToHex(key)));
}

function requireSameCover(closed: readonly ChainId[], successors: readonly ChainId[]): void {
  const isCovered = (shard: ChainId, by: readonly ChainId[]): boolean =>
    by.some((other) => contains(other, shard)) || sizeOf(by.filter((other) => contains(shard, other))) === sizeOf([shard]);
  const isDisjoint = [closed, successors].every((shards) => !shards.some((a, i) => shards.some((b, j) => i !== j && intersects(a, b))));
  const isSame = closed.every((shard) => isCovered(shard, successors)) && successors.every((shard) => isCovered(shard, closed));
  invariant(isDisjoint && isSame && closed.length > 0, 'the new shards cover what the closed ones did');
  invariant(!successors.some((shard) => closed.includes(shard)), 'a shard that stays is not closed');
}

function sizeOf(shards: readonly ChainId[]): number {
  return shards.reduce((sum, shard) => sum + 2 ** (SHARD_DEPTH_MAX - depthOf(shard)), 0);
}
