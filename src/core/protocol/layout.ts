// Layouts: the shard ids in use, and their places in the tree from left to right (protocol, sections 0 and 6). A shard id is the generalized
// index of its subtree: 1 is the whole state, node i has the children 2i and 2i + 1, so the bits below the leading one are the path.
//
// The rule upheld: a layout is a complete, prefix-free cover. Every key of the state is in exactly one shard, or two committees would own one
// account, or none.
import { invariant } from '../primitives/errors.ts';
import type { ChainId } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { SHARDS_MAX } from './limits.ts';

/** The deepest that a shard may be: state trees hash every node above it in full, whatever it holds. */
export const SHARD_DEPTH_MAX = 16;

/** Places that the deepest shards have; a shard of depth d covers 2^(16 − d) of them. */
const PLACES = 2 ** SHARD_DEPTH_MAX;

/** Why shard ids are no layout. */
export type LayoutRefusal = 'empty' | 'too-many' | 'not-a-shard' | 'twice' | 'overlap' | 'gap';

/** True for a shard id: a generalized index, not deeper than a shard may be. The beacon, 0, is none. */
export function isShardId(chain: ChainId): boolean {
  return Number.isInteger(chain) && chain >= 1 && chain < 2 * PLACES;
}

/** How deep the root of the shard's subtree lies: 0 for the whole state. */
export function depthOfShard(shard: ChainId): number {
  invariant(isShardId(shard), `${shard} is a shard id`);
  return 31 - Math.clz32(shard);
}

/** True when all of `left` lies before all of `right`; false both ways where one is within the other. */
export function isLeftOf(left: ChainId, right: ChainId): boolean {
  return placeAfter(left) <= firstPlace(right);
}

/** Shard ids in the order of their subtrees, left to right; where one is within another, the greater subtree first. */
export function leftToRight(shards: readonly ChainId[]): readonly ChainId[] {
  return shards.toSorted((a, b) => firstPlace(a) - firstPlace(b) || a - b);
}

/** The layout of these shard ids, left to right, or why they are none. Their own order does not matter. */
export function checkLayout(shards: readonly ChainId[]): Verdict<readonly ChainId[], LayoutRefusal> {
  if (shards.length === 0) return refuse('empty', 'a layout has at least one shard');
  if (shards.length > SHARDS_MAX) return refuse('too-many', `${shards.length} shards, at most ${SHARDS_MAX}`);
  const stranger = shards.find((shard) => !isShardId(shard));
  if (stranger !== undefined) return refuse('not-a-shard', `${stranger} is not from 1 to ${2 * PLACES - 1}`);
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

function gapFault(ordered: readonly ChainId[]): Verdict<never, LayoutRefusal> | undefined {
  let covered = 0;
  for (const shard of ordered) {
    if (firstPlace(shard) > covered) return refuse('gap', `no shard covers what lies left of shard ${shard}`);
    covered = placeAfter(shard);
  }
  return covered < PLACES ? refuse('gap', `no shard covers what lies right of shard ${ordered.at(-1)}`) : undefined;
}

/** The first of the places that the shard covers. */
function firstPlace(shard: ChainId): number {
  return (shard - 2 ** depthOfShard(shard)) * placesOf(shard);
}

/** The first place right of the shard. */
function placeAfter(shard: ChainId): number {
  return firstPlace(shard) + placesOf(shard);
}

function placesOf(shard: ChainId): number {
  return 2 ** (SHARD_DEPTH_MAX - depthOfShard(shard));
}
