// Versions of the state of a shard. A version is immutable: the committed one lies in the database, those of blocks that are executed but
// not yet committed are layers in memory over it. So a fork costs nothing, a block's state is applied wholly or not at all, and
// dropping a branch is forgetting it (protocol, sections 4 and 5).
import type { Address, Bytes32, ChainId, Height } from '../primitives/ids.ts';
import type { Verdict } from '../primitives/verdict.ts';
import type { ChangeSet } from './change-set.ts';
import type { ExportPosition } from './export-leaves.ts';
import type { ExpectedVersion, ImportFault } from './import-leaves.ts';
import type { StateProof } from './proof.ts';
import type { StateReader } from './state-reader.ts';
import type { RowOperation } from './state-rows.ts';

/** The state after the block at `height`. Reads stay right for ever in memory and, on disk, until the height is pruned. */
export interface StateVersion extends StateReader {
  /** The root of the shard's subtree. */
  readonly root: Bytes32;
  readonly height: Height;
  /** Leaves of the account tree: accounts and pointers. */
  readonly leafCount: number;
}

/**
 * What makes, keeps and forgets versions of one shard. One database, one committed version. Databases of shards that have nothing in
 * common may lie over the same rows: none touches what is another's. To ask one for a family that is not the shard's breaks a promise.
 */
export interface StateDatabase {
  readonly shard: ChainId;
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
   * The first version of an empty database from what `exportVersion` of another node handed out: in parts, with memory for one chunk. Gives
   * the version when all of it is right and its root is the expected one; `commit` completes it, as with `writeFirst`. After a refusal, or
   * broken off anywhere, the database counts as empty, and it can be begun again, with the same version or another.
   */
  importVersion(
    expected: ExpectedVersion,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    write: (operations: readonly RowOperation[]) => Promise<void>,
  ): Promise<Verdict<StateVersion, ImportFault>>;
  /**
   * All leaves of a version on disk in order of their keys, or those behind a position, as chunks (state-chunk.ts) of at most `chunkBytes`.
   * Throws `state/missing-node` if the version is pruned meanwhile.
   */
  exportVersion(version: StateVersion, chunkBytes?: number, after?: ExportPosition): AsyncIterable<Uint8Array>;
  /**
   * The rows that make `version`, a child of the committed one, the committed one. The caller joins them with the block's other rows
   * in ONE atomic batch and calls `adopted` when it is written; between the two no other version may be committed.
   */
  commit(version: StateVersion): readonly RowOperation[];
  /** After the batch of `commit` or `rollbackTo` is written: the version is the committed one; branches beside it are of no use any more. */
  adopted(version: StateVersion): void;
  /**
   * The version of exactly that height, if it is the committed one or an older one that is not pruned; also one from before the shard was
   * last split or merged.
   */
  at(height: Height): StateVersion | undefined;
  /** The lowest height that is not pruned since the shard's start: a rollback goes no further back. */
  oldest(): Height;
  /**
   * The rows that take the committed state back to `height`, which must not be pruned, and the version they make: write, then `adopted`. With
   * `knownAs`, a height above, that one is the version of it, with the same content: what followed on the way up is void, and its heights are not.
   */
  rollbackTo(height: Height, knownAs?: Height): Promise<{ readonly version: StateVersion; readonly operations: readonly RowOperation[] }>;
  /**
   * Forgets the versions below `keepFrom`, in batches that may be written one by one while the node runs: after each the state is
   * whole. Current state is never touched. Shards that this one came from are forgotten with their last version. One database over the
   * same rows is pruned, dropped, split or merged at a time.
   */
  prune(keepFrom: Height): AsyncIterable<readonly RowOperation[]>;
  /**
   * No version is committed or taken back from now on; gives the last one. What is in memory stays readable, and what is on disk as long as
   * it is kept. Part of every split and merge (change-layout.ts).
   */
  close(): StateVersion;
  /** Removes everything of the shard, in batches to be written one by one. Begun again after a break, it goes on. */
  drop(): AsyncIterable<readonly RowOperation[]>;
  /** Proves an account (present or absent) and any of its storage slots against the version's root; shard-proof.ts leads to the world root. */
  proveAccount(version: StateVersion, family: Address, address: Address, slots: readonly Bytes32[]): AccountProof;
  /** Proves the pointer at an address's natural place, or its absence. */
  provePointer(version: StateVersion, address: Address): StateProof;
  /** Root of a subtree in the shard's: a descendant's state root. */
  subtreeRoot(version: StateVersion, shard: ChainId): Bytes32;
  /** Leaves of the 14 descendants on the three levels below the shard, level by level, left to right: for the load in headers. */
  leafCounts(version: StateVersion): readonly number[];
}

/** An account's proof against the root of its shard, and those of slots against its storage root. */
export interface AccountProof {
  readonly account: StateProof;
  readonly storage: readonly StateProof[];
}
