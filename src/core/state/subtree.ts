// Where a shard's subtree is in the one tree (protocol, section 4): which keys are the shard's, and where its root node lies. Pages have four
// levels, shards any depth to 16, so the root of a shard may lie within a page: then that page is the shard's own, with nothing in the slots
// of its neighbours.
import { invariant } from '../primitives/errors.ts';
import { type Bytes32, type ChainId, ROOT_SHARD } from '../primitives/ids.ts';
import { depthOf, isShardId, SHARD_DEPTH_MAX } from '../protocol/shard-id.ts';

const PAGE_LEVELS = 4;

/** A shard's place. */
export interface Subtree {
  readonly shard: ChainId;
  /** Levels above its root. */
  readonly depth: number;
  /** Half-bytes above its root node. */
  readonly rootDepth: number;
  /** Levels of the root node that lie above the shard's root: 0 to 3. */
  readonly rootLevel: number;
  /** The first `depth` bits of its keys, then zeros: the lowest key. */
  readonly path: Bytes32;
}

/** The place of a shard. */
export function subtreeOf(shard: ChainId): Subtree {
  invariant(isShardId(shard), 'a shard is a subtree at depth 0 to 16');
  const depth = depthOf(shard);
  const path = new Uint8Array(32);
  const first = (shard - 2 ** depth) << (SHARD_DEPTH_MAX - depth);
  path[0] = first >>> 8;
  path[1] = first & 0xff;
  return { shard, depth, rootDepth: Math.floor(depth / PAGE_LEVELS), rootLevel: depth % PAGE_LEVELS, path };
}

/** The place of the whole account tree, and of every storage tree in itself. */
export const WHOLE_TREE: Subtree = subtreeOf(ROOT_SHARD);

/** True for the keys of the shard; in a row's key, for one whose state key begins at byte `at`. */
export function holdsKey({ shard, depth }: Subtree, key: Uint8Array, at = 0): boolean {
  const placement = ((key[at] as number) << 8) | (key[at + 1] as number);
  return placement >>> (SHARD_DEPTH_MAX - depth) === shard - 2 ** depth;
}
