// The world root (protocol, sections 4 and 6): the Merkle root over the shards' state roots at their places in the one tree. A shard's state
// root is its subtree's, so the world root is the same before and after a split or merge: only a crosslink changes it.

import { invariant } from '../primitives/errors.ts';
import { type Bytes32, type ChainId, ROOT_SHARD } from '../primitives/ids.ts';
import { contains } from '../protocol/shard-id.ts';
import { hashChildren } from '../state/world-root.ts';
import type { BeaconState } from './state.ts';

/** The root of one subtree. */
export interface SubtreeRoot {
  readonly shard: ChainId;
  readonly stateRoot: Bytes32;
}

/** The root of the node `shard` from the roots of shards that together are exactly what lies under it. */
export function joinedRoot(shard: ChainId, parts: readonly SubtreeRoot[]): Bytes32 {
  const [first] = parts;
  invariant(first !== undefined, `the roots given leave no gap under ${shard}`);
  if (first.shard === shard) {
    invariant(parts.length === 1, `the roots given do not overlap under ${shard}`);
    return first.stateRoot;
  }
  const halfRoot = (half: ChainId): Bytes32 =>
    joinedRoot(
      half,
      parts.filter((part) => contains(half, part.shard)),
    );
  return hashChildren(halfRoot(2 * shard), halfRoot(2 * shard + 1));
}

/** See the file's head: over the records, whose shards are the whole tree in every state. */
export function worldRootOf({ records }: Pick<BeaconState, 'records'>): Bytes32 {
  return joinedRoot(
    ROOT_SHARD,
    records.map(({ record, progress }) => ({ shard: record.shard, stateRoot: progress.stateRoot })),
  );
}
