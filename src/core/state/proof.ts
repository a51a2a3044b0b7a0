// Proofs against a root: that a leaf is there, or that none is (protocol, section 4). One format serves accounts, pointers, storage
// slots, shards and light clients. Each fact has exactly one proof: one with any bit changed is refused.
import { hash64 } from '../crypto/sha256.ts';
import { bytesEqual, ZERO_32 } from '../primitives/bytes.ts';
import type { Bytes32, ChainId } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { LEAF_TAG, leafHash } from './leaf.ts';
import { holdsKey, type Subtree, subtreeOf, WHOLE_TREE } from './subtree.ts';
import { bitAt, FIXED_DEPTH, type TreeKind } from './tree-node.ts';

/** Siblings of a proof at most: one for each bit of the key. */
export const PROOF_SIBLINGS_MAX = 256;

/** Levels of the account tree that always hash two children. */
const FIXED_LEVELS = 4 * FIXED_DEPTH;

/** A leaf as its hash commits it. */
export interface ProvenLeaf {
  readonly tag: number;
  readonly key: Bytes32;
  /** The committed encoding: of an account (account-codec.ts), a pointer's family, or a slot's 32 bytes. */
  readonly value: Uint8Array;
}

/** The way from the root, of the world or of a shard, to where a key is or would be. */
export interface StateProof {
  readonly key: Bytes32;
  /** Hashes beside the way, from the root down; 32 zero bytes for an empty subtree. */
  readonly siblings: readonly Bytes32[];
  /** What stands at its end: the leaf of the key, another leaf that shares the way (then the key is absent), or nothing. */
  readonly leaf: ProvenLeaf | undefined;
}

/** Why a proof proves nothing. */
export type ProofFault = 'malformed-proof' | 'wrong-root' | 'wrong-place' | 'not-canonical';

/**
 * Checks a proof about `key` in the tree with root `root`. Accepted with the leaf that is there, or with undefined: no leaf is.
 */
export function verifyProof(kind: TreeKind, root: Bytes32, key: Bytes32, proof: StateProof): Verdict<ProvenLeaf | undefined, ProofFault> {
  return verifyFrom(kind, WHOLE_TREE, root, key, proof);
}

/** The same about a key of the account tree against the root of its shard. */
export function verifyShardProof(
  shard: ChainId,
  root: Bytes32,
  key: Bytes32,
  proof: StateProof,
): Verdict<ProvenLeaf | undefined, ProofFault> {
  return verifyFrom('account', subtreeOf(shard), root, key, proof);
}

function verifyFrom(
  kind: TreeKind,
  subtree: Subtree,
  root: Bytes32,
  key: Bytes32,
  proof: StateProof,
): Verdict<ProvenLeaf | undefined, ProofFault> {
  const { siblings, leaf } = proof;
  const { depth: above } = subtree;
  if (!holdsKey(subtree, key)) return refuse('wrong-place', `the key is not of shard ${subtree.shard}`);
  if (!bytesEqual(proof.key, key)) return refuse('wrong-place', 'the proof is about another key');
  const wellFormed =
    siblings.length <= PROOF_SIBLINGS_MAX - above && siblings.every((sibling) => sibling.length === 32) && isWellFormed(kind, leaf);
  if (!wellFormed) return refuse('malformed-proof', `${siblings.length} siblings`);
  if (leaf !== undefined && !sharesWay(leaf.key, key, above + siblings.length))
    return refuse('wrong-place', 'the leaf is not on the way of the key');
  if (!endsWhereItMust(kind === 'account' ? FIXED_LEVELS - above : 0, siblings, leaf))
    return refuse('not-canonical', 'the way does not end where the tree does');
  let hash = leaf === undefined ? ZERO_32 : leafHash(leaf.tag, leaf.key, leaf.value);
  for (let depth = siblings.length - 1; depth >= 0; depth--) {
    const sibling = siblings[depth] as Bytes32;
    hash = bitAt(key, above + depth) === 0 ? hash64(hash, sibling) : hash64(sibling, hash);
  }
  if (!bytesEqual(hash, root)) return refuse('wrong-root', 'the way does not lead to the root');
  return accept(leaf !== undefined && bytesEqual(leaf.key, key) ? leaf : undefined);
}

function isWellFormed(kind: TreeKind, leaf: ProvenLeaf | undefined): boolean {
  if (leaf === undefined) return true;
  const inKind = kind === 'storage' ? leaf.tag === LEAF_TAG.slot : leaf.tag === LEAF_TAG.account || leaf.tag === LEAF_TAG.pointer;
  return inKind && leaf.key.length === 32;
}

function sharesWay(a: Bytes32, b: Bytes32, bits: number): boolean {
  for (let depth = 0; depth < bits; depth++) if (bitAt(a, depth) !== bitAt(b, depth)) return false;
  return true;
}

// A way ends at the highest empty subtree, or at the highest node that is a single leaf; so what stands beside its end is not empty.
// `levels` of the tree do not collapse.
function endsWhereItMust(levels: number, siblings: readonly Bytes32[], leaf: ProvenLeaf | undefined): boolean {
  if (leaf !== undefined && siblings.length < levels) return false;
  const last = siblings[siblings.length - 1];
  const mayBeAlone = last === undefined || (leaf !== undefined && siblings.length === levels);
  return mayBeAlone || !bytesEqual(last, ZERO_32);
}
