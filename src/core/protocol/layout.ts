// Layouts: the shard ids in use, and their places in the tree from left to right (protocol, sections 0 and 6). A shard id is the generalized
// index of its subtree: 1 is the whole state, node i has the children 2i and 2i + 1, so the bits below the leading one are the path.
//
// The rule upheld: a layout is a complete, prefix-free cover. Every key of the state is in exactly one shard, or two committees would own one
// account, or none.
import { type ChainId, ROOT_SHARD } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { SHARDS_MAX } from './limits.ts';
import { isLeftOf, isShardId, leftToRight, SHARD_DEPTH_MAX, uncoveredBy } from './shard-id.ts';

/** Why shard ids are no layout. */
export type LayoutRefusal = 'empty' | 'too-many' | 'not-a-shard' | 'twice' | 'overlap' | 'gap';

/** The layout of these shard ids, left to right, or why they are none. Their own order does not matter. */
export function checkLayout(shards: readonly ChainId[]): Verdict<readonly ChainId[], LayoutRefusal> {
  if (shards.length === 0) return refuse('empty', 'a layout has at least one shard');
  if (shards.length > SHARDS_MAX) return refuse('too-many', `${shards.length} shards, at most ${SHARDS_MAX}`);
  const stranger = shards.find((shard) => !isShardId(shard));
  if (stranger !== undefined) return refuse('not-a-shard', `${stranger} is not from 1 to ${2 ** (SHARD_DEPTH_MAX + 1) - 1}`);
  const layout = leftToRight(shards);
  const overlap = overlapFault(layout);
  if (overlap !== undefined) return overlap;
  return gapFault(layout) ?? accept(layout);
}

/** For each shard of a layout its place among the shards, counted from the left. */
export function layoutPositions(layout: readonly ChainId[]): ReadonlyMap<ChainId, number> {
  return new Map(leftToRight(layout).map((shard, position) => [shard, position]));
}

function overlapFault(ordered: readonly ChainId[]): Verdict<never, LayoutRefusal> | undefined {
  for (const [index, shard] of ordered.entries()) {
    const before = ordered[index - 1];
    if (before === undefined || isLeftOf(before, shard)) continue;
    return before === shard ? refuse('twice', `shard ${shard} is there twice`) : refuse('overlap', `shard ${shard} is within ${before}`);
  }
  return undefined;
}

function gapFault(layout: readonly ChainId[]): Verdict<never, LayoutRefusal> | undefined {
  const [missing] = uncoveredBy(ROOT_SHARD, layout);
  return missing === undefined ? undefined : refuse('gap', `no shard covers subtree ${missing}`);
}
