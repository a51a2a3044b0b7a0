// Versions of the world state. A version is immutable: the committed one lies in the database, those of blocks that are executed but
// not yet committed are layers in memory over it. So a fork costs nothing, a block's state is applied wholly or not at all, and
// dropping a branch is forgetting it (protocol, sections 4 and 5).
import type { Address, Bytes32, Height } from '../primitives/ids.ts';
import type { ChangeSet } from './change-set.ts';
import type { StateProof } from './proof.ts';
import type { StateReader } from './state-reader.ts';
import type { RowOperation } from './state-rows.ts';

/** The state after the block at `height`. Reads stay right for ever in memory and, on disk, until the height is pruned. */
export interface StateVersion extends StateReader {
  readonly root: Bytes32;
  readonly height: Height;
  /** Leaves of the account tree: accounts and pointers. */
  readonly leafCount: number;
}

/** What makes, keeps and forgets versions. One database, one committed version. */
export interface StateDatabase {
  /** The newest version whose rows are written. */
  committed(): StateVersion;
  /**
   * The version after `changes` on top of `parent`: storage roots and the account root computed, everything in memory, nothing on
   * disk. Equal inputs give an equal root.
   */
  extend(parent: StateVersion, height: Height, changes: ChangeSet): StateVersion;
  /**
   * The first version of an empty database, written in parts that need no memory for the whole: everything but the rows of `commit`,
   * which complete it. Until those are written the database counts as empty, and all of it can be done again.
   */
  writeFirst(height: Height, changes: ChangeSet, write: (operations: readonly RowOperation[]) => Promise<void>): Promise<StateVersion>;
  /**
   * The rows that make `version`, a child of the committed one, the committed one. The caller joins them with the block's other rows
   * in ONE atomic batch and calls `adopted` when it is written; between the two no other version may be committed.
   */
  commit(version: StateVersion): readonly RowOperation[];
  /** After the batch of `commit` or `rollbackTo` is written: the version is the committed one; branches beside it are of no use any more. */
  adopted(version: StateVersion): void;
  /** The version of exactly that height, if it is the committed one or an older one that is not pruned. */
  at(height: Height): StateVersion | undefined;
  /** The lowest height that is not pruned. */
  oldest(): Height;
  /** The rows that take the committed state back to `height`, which must not be pruned, and the version they make: write, then `adopted`. */
  rollbackTo(height: Height): Promise<{ readonly version: StateVersion; readonly operations: readonly RowOperation[] }>;
  /**
   * Forgets the versions below `keepFrom`, in batches that may be written one by one while the node runs: after each the state is
   * whole. Current state is never touched.
   */
  prune(keepFrom: Height): AsyncIterable<readonly RowOperation[]>;
  /** Proves an account (present or absent) and any of its storage slots against the version's root. */
  proveAccount(version: StateVersion, family: Address, address: Address, slots: readonly Bytes32[]): AccountProof;
  /** Proves the pointer at an address's natural place, or its absence. */
  provePointer(version: StateVersion, address: Address): StateProof;
  /** Root of the subtree at a generalized index of depth 0 to 16: a shard's state root. */
  subtreeRoot(version: StateVersion, shardId: number): Bytes32;
}

/** An account's proof against the world root, and those of slots against its storage root. */
export interface AccountProof {
  readonly account: StateProof;
  readonly storage: readonly StateProof[];
}
