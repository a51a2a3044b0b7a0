// Branches in SSZ lists: that an element stands at its place in a list of known length, whose root is known. The part of a branch that
// follows from the length (subtrees that are empty, and the length itself, which is mixed in) is left out: of a list of 8 in a type for
// 8192 three hashes travel instead of fourteen. Each fact has exactly one branch.
import { hash64 } from '../crypto/sha256.ts';
import { ZERO_32 } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32 } from '../primitives/ids.ts';

/** A list's tree as far as its elements fill it: the elements' roots, and each level above up to one node. */
export type ListTree = readonly (readonly Bytes32[])[];

/** Roots of empty subtrees by their depth: as many as the longest list of the formats needs. */
const EMPTY_ROOTS: readonly Bytes32[] = emptyRoots(20);

/** The tree over the roots of a list's elements; of at least one. */
export function listTreeOf(elementRoots: readonly Bytes32[]): ListTree {
  invariant(elementRoots.length > 0, 'an empty list has no branches');
  const levels: Bytes32[][] = [[...elementRoots]];
  for (let below = levels[0] as Bytes32[]; below.length > 1; below = levels.at(-1) as Bytes32[]) {
    const depth = levels.length - 1;
    const level: Bytes32[] = [];
    for (let at = 0; at < below.length; at += 2) level.push(hash64(below[at] as Bytes32, below[at + 1] ?? emptyRoot(depth)));
    levels.push(level);
  }
  return levels;
}

/** The siblings of the element at `index`, from the lowest up. */
export function branchOf(tree: ListTree, index: number): Bytes32[] {
  invariant(index >= 0 && index < (tree[0]?.length ?? 0), 'a branch is of an element');
  return tree.slice(0, -1).map((level, depth) => level[(index >> depth) ^ 1] ?? emptyRoot(depth));
}

/**
 * The root of the list of `length` elements of a type for `2 ** depthMax`, in which this root of an element stands at `index`; undefined
 * where a branch of this length, or an element of this index, is of no such list.
 */
export function listRootFrom(
  elementRoot: Bytes32,
  index: number,
  length: number,
  branch: readonly Bytes32[],
  depthMax: number,
): Bytes32 | undefined {
  if (index < 0 || index >= length || length > 2 ** depthMax || branch.length !== depthOfLength(length)) return undefined;
  let node = elementRoot;
  for (const [depth, sibling] of branch.entries()) {
    node = ((index >> depth) & 1) === 0 ? hash64(node, sibling) : hash64(sibling, node);
  }
  for (let depth = branch.length; depth < depthMax; depth++) node = hash64(node, emptyRoot(depth));
  return hash64(node, lengthChunk(length));
}

// Levels that so many elements fill.
function depthOfLength(length: number): number {
  return length <= 1 ? 0 : 32 - Math.clz32(length - 1);
}

function lengthChunk(length: number): Bytes32 {
  const chunk = new Uint8Array(32);
  new DataView(chunk.buffer).setUint32(0, length, true);
  return chunk;
}

function emptyRoot(depth: number): Bytes32 {
  const root = EMPTY_ROOTS[depth];
  invariant(root !== undefined, 'lists are no longer than their formats allow');
  return root;
}

function emptyRoots(depths: number): Bytes32[] {
  const roots: Bytes32[] = [ZERO_32];
  while (roots.length < depths) roots.push(hash64(roots.at(-1) as Bytes32, roots.at(-1) as Bytes32));
  return roots;
}
