// A shard's load when the layout changes: how a header's load, which says how it divides among three levels of descendants, becomes that of a
// child, and how the loads of two become that of what holds both. So the controller and the rations know something of a shard before it has
// made a block. Entry i of a load is the node i of the shard's own subtree: 1 the whole, 2 and 3 its halves, and so on level by level.

import type { ChainId } from '../primitives/ids.ts';
import type { Load } from '../protocol/block.ts';
import { LOAD_DESCENDANTS } from '../protocol/limits.ts';
import type { LoadEntry } from '../protocol/load-type.ts';
import { contains, relativeShardId } from '../protocol/shard-id.ts';

/** A shard with its load. */
export interface ShardLoad {
  readonly shard: ChainId;
  readonly load: Load;
}

const NO_ENTRY: LoadEntry = { gas: 0, backlog: 0, stateLeaves: 0 };

/** The load of a shard of which nothing is known. */
export const NO_LOAD: Load = { whole: NO_ENTRY, descendants: Array.from({ length: LOAD_DESCENDANTS }, () => NO_ENTRY) };

/** The load of `shard` from those in whose place it comes: of a shard that holds it, or of all that it holds. */
export function inheritedLoad(shard: ChainId, parts: readonly ShardLoad[]): Load {
  const holder = parts.find((part) => contains(part.shard, shard));
  return holder === undefined
    ? joinedLoad(shard, parts)
    : loadOf((node) => entryAt(holder.load, nodeUnder(relativeShardId(shard, holder.shard), node)));
}

function joinedLoad(shard: ChainId, parts: readonly ShardLoad[]): Load {
  const inside = parts.map(({ shard: part, load }) => ({ place: relativeShardId(part, shard), load }));
  return loadOf((node) => {
    const holder = inside.find(({ place }) => contains(place, node));
    if (holder !== undefined) return entryAt(holder.load, relativeShardId(node, holder.place));
    return inside.filter(({ place }) => contains(node, place)).reduce((sum, { load }) => sumOf(sum, load.whole), NO_ENTRY);
  });
}

function loadOf(entryOfNode: (node: number) => LoadEntry): Load {
  return { whole: entryOfNode(1), descendants: Array.from({ length: LOAD_DESCENDANTS }, (_unused, index) => entryOfNode(index + 2)) };
}

function entryAt({ whole, descendants }: Load, node: number): LoadEntry {
  return node === 1 ? whole : (descendants[node - 2] ?? NO_ENTRY);
}

// The node `node` of the subtree of `top`.
function nodeUnder(top: number, node: number): number {
  const width = 2 ** (31 - Math.clz32(node));
  return top * width + node - width;
}

function sumOf(a: LoadEntry, b: LoadEntry): LoadEntry {
  const sum = (x: number, y: number): number => Math.min(Number.MAX_SAFE_INTEGER, x + y);
  return { gas: sum(a.gas, b.gas), backlog: sum(a.backlog, b.backlog), stateLeaves: sum(a.stateLeaves, b.stateLeaves) };
}
