// Merkle trees over chunks of 32 bytes as SSZ has them (ethereum/consensus-specs, ssz/simple-serialize.md, "Merkleization"): padded with zero
// chunks to the limit, a list's length mixed in above. Here because parts of the beacon state are hashed part by part, and proved.
import { hash64, hashPairs } from '../crypto/sha256.ts';
import { bytesEqual, ZERO_32 } from '../primitives/bytes.ts';
import type { Bytes32 } from '../primitives/ids.ts';
import { Uint64 } from '../protocol/ssz.ts';

const CHUNK_BYTES = 32;
const LEVELS_MAX = 64;

/** The root of an all-zero tree of each depth. */
const ZERO_ROOTS: readonly Bytes32[] = zeroRoots();

/** Depth of a tree with room for this many chunks. */
export function depthFor(chunks: number): number {
  return Math.ceil(Math.log2(Math.max(1, chunks)));
}

/** The root of the chunks in a tree of this depth. */
export function merkleRoot(chunks: readonly Bytes32[], depth: number): Bytes32 {
  let level = joined(chunks);
  for (let height = 0; height < depth; height++) {
    if (level.length === 0) return zeroRoot(depth);
    level = levelAbove(level, height);
  }
  return level.length === 0 ? zeroRoot(depth) : level.slice();
}

/** The siblings of chunk `index` on its way to that root, from the lowest up. */
export function merkleBranch(chunks: readonly Bytes32[], index: number, depth: number): Bytes32[] {
  const branch: Bytes32[] = [];
  let level = joined(chunks);
  for (let height = 0; height < depth; height++) {
    const at = ((index >>> height) ^ 1) * CHUNK_BYTES;
    branch.push(at < level.length ? level.slice(at, at + CHUNK_BYTES) : zeroRoot(height));
    level = levelAbove(level, height);
  }
  return branch;
}

/** True if the branch leads from the chunk at `index` to the root. */
export function isMerkleBranch(chunk: Bytes32, index: number, branch: readonly Bytes32[], root: Bytes32): boolean {
  if (!branch.every((sibling) => sibling.length === CHUNK_BYTES) || chunk.length !== CHUNK_BYTES) return false;
  let node = chunk;
  for (const [height, sibling] of branch.entries()) {
    node = Math.floor(index / 2 ** height) % 2 === 0 ? hash64(node, sibling) : hash64(sibling, node);
  }
  return bytesEqual(node, root);
}

/** What a list's length is hashed as. */
export function lengthChunk(length: number): Bytes32 {
  return Uint64.hashTreeRoot(length);
}

/** The root of a list from that of its chunks. */
export function withLength(root: Bytes32, length: number): Bytes32 {
  return hash64(root, lengthChunk(length));
}

function joined(chunks: readonly Bytes32[]): Uint8Array {
  const bytes = new Uint8Array(chunks.length * CHUNK_BYTES);
  for (const [index, chunk] of chunks.entries()) bytes.set(chunk, index * CHUNK_BYTES);
  return bytes;
}

function levelAbove(level: Uint8Array, height: number): Uint8Array {
  const pairs = Math.ceil(level.length / (2 * CHUNK_BYTES));
  const input = new Uint8Array(pairs * 2 * CHUNK_BYTES);
  input.set(level);
  if (level.length < input.length) input.set(zeroRoot(height), level.length);
  const output = new Uint8Array(pairs * CHUNK_BYTES);
  hashPairs(input, output);
  return output;
}

function zeroRoot(depth: number): Bytes32 {
  return ZERO_ROOTS[depth] as Bytes32;
}

function zeroRoots(): readonly Bytes32[] {
  const roots: Bytes32[] = [ZERO_32];
  for (let depth = 0; depth < LEVELS_MAX; depth++) roots.push(hash64(roots[depth] as Bytes32, roots[depth] as Bytes32));
  return roots;
}
