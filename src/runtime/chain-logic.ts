// What a kind of chain puts into consensus, as the runtime asks for it: how a body decodes, which blocks are valid, what executing them comes
// to. Engine, gossip, catching up and storage are the same for the beacon and every shard; this is where they differ.
import type { BeaconBlockRefusal } from '../core/beacon/validate-block.ts';
import type { DecodedBlock } from '../core/execution/executed-block.ts';
import type { Bytes32, Height } from '../core/primitives/ids.ts';
import type { Verdict } from '../core/primitives/verdict.ts';
import type { BlockBody, BlockHeader, ExecutionCommitment } from '../core/protocol/block.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import type { ParentFacts } from '../core/shard/parent-facts.ts';
import type { ShardBlockRefusal } from '../core/shard/validate-shard-block.ts';
import type { RowOperation } from '../core/state/state-rows.ts';

/** What a block came to, as far as every chain's child needs it. */
export interface Outcome {
  readonly hash: Bytes32;
  readonly facts: ParentFacts;
  readonly commitment: ExecutionCommitment;
  readonly seed: Bytes32;
}

/** Why a block cannot be decoded or is not valid. */
export type BlockFault =
  | ShardBlockRefusal
  | BeaconBlockRefusal
  | 'bad-signature'
  | 'undecodable-transaction'
  | 'bad-vrf-proof'
  | 'too-many-blocks'
  | 'wrong-carrier';

/** A block on its executed parent. */
export interface BlockToExecute<Start> {
  readonly block: DecodedBlock;
  readonly parent: Start;
  readonly seed: Bytes32;
  /** Hash of the block's ancestor at a height, or undefined where it is not known any more. */
  readonly ancestorHash: (height: Height) => Bytes32 | undefined;
}

/** See the file's head. Carriers are alike on all chains, and no logic sees them. `Start` is what one can build on, the start record's outcome too; `Executed` that of a block. */
export interface ChainLogic<Start extends Outcome, Executed extends Start> {
  /** The transactions of a body whose root the header names. */
  decode(body: BlockBody, transactionHashes: readonly Bytes32[]): Promise<Verdict<readonly Transaction[], BlockFault>>;
  /** Whether a block, no carrier, ends its instance: validity, and nothing but the header and the instance decides it. */
  isClosing(header: Pick<BlockHeader, 'height' | 'beaconReference'>): boolean;
  /** Validity and nothing else: a function of the block, its seed and its parent's outcome. */
  validate(task: BlockToExecute<Start>): Promise<Verdict<undefined, BlockFault>> | Verdict<undefined, BlockFault>;
  /** The voting rules beside the clock's: what this node knows and holds may forbid to vote for a valid block. Judged when it arrives. */
  mayVoteFor(block: DecodedBlock): boolean;
  execute(task: BlockToExecute<Start>): Promise<Executed>;
}

/** What a kind of chain writes with each committed block, beside block and certificates. */
export interface CommitRows<Executed> {
  /** Joined with the block's other rows in one synced batch. */
  rowsOf(outcome: Executed): readonly RowOperation[];
  /** The batch is on disk. */
  written(outcome: Executed): void;
}
