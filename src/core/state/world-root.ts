// The world root: the Merkle root over the roots of a layout's shards, each at its place (protocol, sections 4 and 6). It is the root that the
// whole state would have as one tree, so no split or merge changes it.
import { hash64 } from '../crypto/sha256.ts';
import { bytesEqual, ZERO_32 } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import { type Bytes32, type ChainId, ROOT_SHARD } from '../primitives/ids.ts';
import { SHARD_DEPTH_MAX } from '../protocol/shard-id.ts';

/** The state root of each shard of a layout. */
export type ShardRoots = ReadonlyMap<ChainId, Bytes32>;

/** The root of the whole state. */
export function worldRootOf(roots: ShardRoots): Bytes32 {
  return rootOver(roots, ROOT_SHARD);
}

/** The root of the subtree at a place that no shard of the layout is above. */
export function rootOver(roots: ShardRoots, place: ChainId): Bytes32 {
  const root = roots.get(place);
  if (root !== undefined) return root;
  invariant(place < 2 ** SHARD_DEPTH_MAX, 'the shards of a layout cover the whole state');
  return hashChildren(rootOver(roots, 2 * place), rootOver(roots, 2 * place + 1));
}

/** The hash of two neighbours above depth 16: always of both, but nothing for nothing. */
export function hashChildren(left: Bytes32, right: Bytes32): Bytes32 {
  return bytesEqual(left, ZERO_32) && bytesEqual(right, ZERO_32) ? ZERO_32 : hash64(left, right);
}
