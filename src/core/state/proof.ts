// Proofs against a root: that a leaf is there, or that none is (protocol, section 4). One format serves accounts, pointers, storage
// slots, shards and light clients. Each fact has exactly one proof, so a proof with any bit changed is refused.
import type { Bytes32 } from '../primitives/ids.ts';

/** Which rule of collapsing the tree follows: the account tree hashes two children down to depth 15, storage trees collapse everywhere. */
export type TreeKind = 'account' | 'storage';

/** A leaf as its hash commits it. */
export interface ProvenLeaf {
  readonly tag: number;
  readonly key: Bytes32;
  /** The committed encoding (account-codec.ts). */
  readonly value: Uint8Array;
}

/** The path from the root to where `key` is or would be. */
export interface StateProof {
  readonly key: Bytes32;
  /** Hashes beside the path, from the root down; 32 zero bytes for an empty subtree. */
  readonly siblings: readonly Bytes32[];
  /** What stands at the end: the leaf of `key`, another leaf that shares the path (then `key` is absent), or nothing. */
  readonly leaf: ProvenLeaf | undefined;
}
