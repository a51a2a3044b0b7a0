// How shards' subtrees lie to each other (protocol, section 0): node i of the tree has the children 2i and 2i + 1, so what holds what follows from
// the numbers alone. What makes shard ids a layout is in layout.ts.
import type { ChainId } from '../primitives/ids.ts';
import { depthOfShard } from './layout.ts';

/** True if `inner` is `outer` or lies under it. */
export function isWithin(inner: ChainId, outer: ChainId): boolean {
  const levels = depthOfShard(inner) - depthOfShard(outer);
  return levels >= 0 && inner >>> levels === outer;
}

/** True if the two share a part of the tree: then one holds the other. */
export function shardsIntersect(a: ChainId, b: ChainId): boolean {
  return isWithin(a, b) || isWithin(b, a);
}

/** The number that `inner` has in the subtree of `outer`, counted as if that were the whole tree. `inner` lies within `outer`. */
export function relativeShardId(inner: ChainId, outer: ChainId): ChainId {
  const width = 2 ** (depthOfShard(inner) - depthOfShard(outer));
  return inner - outer * width + width;
}

/** True if the prefixes together hold all of `shard`, whatever else they hold. */
export function coverShard(prefixes: readonly ChainId[], shard: ChainId): boolean {
  if (prefixes.some((prefix) => isWithin(shard, prefix))) return true;
  const inside = prefixes.filter((prefix) => isWithin(prefix, shard));
  return inside.length > 1 && coverShard(inside, 2 * shard) && coverShard(inside, 2 * shard + 1);
}
