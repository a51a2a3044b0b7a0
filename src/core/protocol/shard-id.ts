// Shard ids: generalized indexes of subtrees of the state tree (protocol, sections 0 and 4). 1 is the whole state, node i has the children
// 2i and 2i + 1, left first. What of the tree is inside what, and which shard a state key falls to, is computed here and nowhere else.
//
// The beacon's id, 0, is no place in the tree: nothing contains it, and it contains nothing.
import type { ChainId } from '../primitives/ids.ts';

/** The deepest a shard may be: nodes above always hash two children. */
export const SHARD_DEPTH_MAX = 16;

/** The first 16 bits of a state key as a big-endian number: enough to tell its shard under any layout. */
export type Placement = number;

/** True for the id of a subtree that may be a shard. */
export function isShardId(id: number): boolean {
  return Number.isInteger(id) && id >= 1 && id < 2 ** (SHARD_DEPTH_MAX + 1);
}

/** Levels below the root: 0 for the whole state. */
export function depthOf(shard: ChainId): number {
  return 31 - Math.clz32(shard);
}

/** The subtree that this one is half of; of the whole state there is none, and this says 0. */
export function parentOf(shard: ChainId): ChainId {
  return shard >>> 1;
}

/** The other half of the parent. */
export function siblingOf(shard: ChainId): ChainId {
  return shard ^ 1;
}

/** Both halves, left first. */
export function childrenOf(shard: ChainId): readonly [ChainId, ChainId] {
  return [2 * shard, 2 * shard + 1];
}

/** True where `inner` is `outer` or lies in it. */
export function contains(outer: ChainId, inner: ChainId): boolean {
  if (outer === 0 || inner === 0) return false;
  const levels = depthOf(inner) - depthOf(outer);
  return levels >= 0 && inner >>> levels === outer;
}

/** True where one of the two contains the other. */
export function intersects(a: ChainId, b: ChainId): boolean {
  return contains(a, b) || contains(b, a);
}

/** Order of subtrees from left to right, whatever their depths; a subtree comes before what it contains, and the beacon before all. */
export function comparePlaces(a: ChainId, b: ChainId): number {
  return leftEdgeOf(a) - leftEdgeOf(b) || a - b;
}

/** True when all of `left` lies before all of `right`; false both ways where one contains the other. */
export function isLeftOf(left: ChainId, right: ChainId): boolean {
  return !intersects(left, right) && comparePlaces(left, right) < 0;
}

/** Shard ids in the order of their subtrees, left to right; where one contains another, the greater subtree first. */
export function leftToRight(shards: readonly ChainId[]): readonly ChainId[] {
  return shards.toSorted(comparePlaces);
}

/** The number that `inner` has in the subtree of `outer`, which contains it, counted as if that were the whole tree. */
export function relativeShardId(inner: ChainId, outer: ChainId): ChainId {
  const width = 2 ** (depthOf(inner) - depthOf(outer));
  return inner - outer * width + width;
}

/** True where keys with this placement are in the shard. */
export function isUnder(placement: Placement, shard: ChainId): boolean {
  return shard !== 0 && ancestorOf(placement, depthOf(shard)) === shard;
}

/** The shard of a layout (a complete cover) that keys with this placement are in. */
export function shardOfPlacement(layout: Pick<ReadonlySet<ChainId>, 'has'>, placement: Placement): ChainId | undefined {
  for (let depth = 0; depth <= SHARD_DEPTH_MAX; depth++) {
    const shard = ancestorOf(placement, depth);
    if (layout.has(shard)) return shard;
  }
  return undefined;
}

/** What of `whole` is in none of `parts`: the fewest subtrees, left to right. */
export function uncoveredBy(whole: ChainId, parts: readonly ChainId[]): ChainId[] {
  if (parts.some((part) => contains(part, whole))) return [];
  const inside = parts.filter((part) => contains(whole, part));
  if (inside.length === 0) return [whole];
  const [left, right] = childrenOf(whole);
  return [...uncoveredBy(left, inside), ...uncoveredBy(right, inside)];
}

function ancestorOf(placement: Placement, depth: number): ChainId {
  return (1 << depth) | (placement >>> (SHARD_DEPTH_MAX - depth));
}

// The least of the placements' ids under the shard; -1 for the beacon.
function leftEdgeOf(shard: ChainId): number {
  return shard === 0 ? -1 : shard * 2 ** (SHARD_DEPTH_MAX - depthOf(shard));
}
