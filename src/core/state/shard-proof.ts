// From a shard's root to the world root (protocol, section 4): what is proved against the root of a shard is proved against the world root by the
// hashes beside the shard, and the outcome is the very proof that one tree of the whole state would give. So one format serves whoever
// knows a shard's root and whoever knows only the world's.
import { bytesEqual, ZERO_32 } from '../primitives/bytes.ts';
import type { Bytes32, ChainId } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { depthOf, isShardId } from '../protocol/shard-id.ts';
import type { StateProof } from './proof.ts';
import { hashChildren, rootOver, type ShardRoots } from './world-root.ts';

/** The hashes beside the way from the world root to a shard of a layout, from the root down. */
export function shardSiblings(shard: ChainId, roots: ShardRoots): readonly Bytes32[] {
  const siblings: Bytes32[] = [];
  for (let place = shard; place > 1; place >>>= 1) siblings.unshift(rootOver(roots, place ^ 1));
  return siblings;
}

/** Checks that `root` is the root of a shard in the world with root `worldRoot`. */
export function verifyShardRoot(
  worldRoot: Bytes32,
  shard: ChainId,
  root: Bytes32,
  siblings: readonly Bytes32[],
): Verdict<undefined, 'malformed-proof' | 'wrong-root'> {
  const isWellFormed = isShardId(shard) && siblings.length === depthOf(shard) && [root, ...siblings].every(({ length }) => length === 32);
  if (!isWellFormed) return refuse('malformed-proof', `${siblings.length} siblings of shard ${shard}`);
  let hash = root;
  let place = shard;
  for (const sibling of [...siblings].reverse()) {
    hash = place % 2 === 0 ? hashChildren(hash, sibling) : hashChildren(sibling, hash);
    place >>>= 1;
  }
  return bytesEqual(hash, worldRoot) ? accept(undefined) : refuse('wrong-root', 'the way does not lead to the root');
}

/** The proof against the world root that follows from one against the root of a shard. */
export function extendToWorld(shard: ChainId, proof: StateProof, roots: ShardRoots): StateProof {
  const siblings = [...shardSiblings(shard, roots), ...proof.siblings];
  // A way ends at the highest empty subtree: of an empty shard that may be one above it.
  if (proof.siblings.length === 0 && proof.leaf === undefined) {
    while (siblings.length > 0 && bytesEqual(siblings.at(-1) as Bytes32, ZERO_32)) siblings.pop();
  }
  return { ...proof, siblings };
}
