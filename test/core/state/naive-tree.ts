// The tree as the protocol's words say it, without any cleverness: the model that the stored tree is tested against.
import { hash64 } from '../../../src/core/crypto/sha256.ts';
import { ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import type { Leaf } from '../../../src/core/state/leaf.ts';
import { bitAt, type TreeKind } from '../../../src/core/state/tree-node.ts';

const FIXED_LEVELS = 16;

/** Root of the subtree at bit depth `depth` that holds `leaves`. */
export function naiveRoot(kind: TreeKind, leaves: readonly Leaf[], depth = 0): Uint8Array {
  if (leaves.length === 0) return ZERO_32;
  const [only] = leaves;
  const collapses = kind === 'storage' || depth >= FIXED_LEVELS;
  if (collapses && leaves.length === 1 && only !== undefined) return only.hash;
  const left = leaves.filter((leaf) => bitAt(leaf.key, depth) === 0);
  const right = leaves.filter((leaf) => bitAt(leaf.key, depth) === 1);
  return hash64(naiveRoot(kind, left, depth + 1), naiveRoot(kind, right, depth + 1));
}
