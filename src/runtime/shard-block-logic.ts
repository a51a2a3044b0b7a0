// A shard's blocks where there is a beacon, as the runtime runs them: each is judged and executed in the view of the beacon block that its header
// names. A block whose reference is not committed here yet waits for it: validity never depends on what a node has seen, only its moment does.

import { epochOfHeight } from '../core/beacon/epochs.ts';
import type { BlockResult, DecodedBlock } from '../core/execution/executed-block.ts';
import type { ItemExecutor } from '../core/execution/item-executor.ts';
import type { Outbox } from '../core/messaging/outbox.ts';
import type { SkipInput } from '../core/messaging/skipped-item.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import { CoppiceError, invariant } from '../core/primitives/errors.ts';
import { accept, refuse } from '../core/primitives/verdict.ts';
import type { BlockHeader } from '../core/protocol/block.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import type { BeaconView, ShardInstance } from '../core/shard/beacon-view.ts';
import { executeShardBlock } from '../core/shard/execute-shard-block.ts';
import { commitmentOfShardRecord, shardCommitmentOf } from '../core/shard/shard-commitment.ts';
import { parentOfBlock, parentOfRecord, type ShardParent } from '../core/shard/shard-parent.ts';
import { type JudgedShardBlock, type ShardBlockInput, validateShardBlock } from '../core/shard/validate-shard-block.ts';
import { hasFreshReference, takesWhatIsHeld } from '../core/shard/voting-rules.ts';
import type { StateDatabase, StateVersion } from '../core/state/state-version.ts';
import type { BeaconWindow } from './beacon-window.ts';
import type { BlockToExecute, ChainLogic, Outcome } from './chain-logic.ts';
import type { TransactionDirectory } from './transaction-directory.ts';

/** What a block, or the start record, came to. */
export interface ShardBlockOutcome extends Outcome {
  readonly asParent: ShardParent;
  readonly version: StateVersion;
}

/** Of a block: with what receipts, the view and other shards are given. */
export interface ExecutedShardBlockOutcome extends ShardBlockOutcome {
  readonly block: DecodedBlock;
  readonly judged: JudgedShardBlock;
  readonly result: BlockResult;
  readonly outbox: Outbox;
}

/** What running a shard's blocks needs of its node. */
export interface ShardBlockLogicDependencies {
  readonly instance: ShardInstance;
  readonly parameters: NetworkParameters;
  readonly states: StateDatabase;
  readonly directory: TransactionDirectory;
  readonly evm: ItemExecutor;
  readonly window: BeaconWindow;
  /** Bundles of other shards that this node holds now, and since which beacon block. */
  readonly held: () => SkipInput['held'];
  /** Lets the host's event loop live during long executions; absent in virtual time. */
  readonly pause: (() => Promise<void>) | undefined;
}

/** See the file's head. */
export function createShardBlockLogic(dependencies: ShardBlockLogicDependencies): ChainLogic<ShardBlockOutcome, ExecutedShardBlockOutcome> {
  const { instance, parameters, states, directory, evm, window, held, pause } = dependencies;
  const judgedBlocks = new WeakMap<DecodedBlock, JudgedShardBlock>();
  const judge = async ({ block, parent }: BlockToExecute<ShardBlockOutcome>): Promise<ReturnType<typeof validateShardBlock>> =>
    validateShardBlock(inputOf(dependencies, block, parent, await viewFor(window, block.header)));
  return {
    decode: async (body, transactionHashes) => {
      const transactions: Transaction[] = [];
      for (const decoded of await directory.decode(body.transactions, transactionHashes)) {
        if (!decoded.ok) return refuse('undecodable-transaction', `${decoded.reason} ${decoded.detail}`);
        transactions.push(decoded.value);
      }
      return accept(transactions);
    },
    isClosing: ({ beaconReference: { height } }) => epochOfHeight(height, parameters) > instance.epoch,
    validate: async (task) => {
      const verdict = await judge(task);
      if (!verdict.ok) return verdict;
      judgedBlocks.set(task.block, verdict.value);
      return accept(undefined);
    },
    mayVoteFor: (block) => {
      const judged = judgedBlocks.get(block);
      const view = window.viewAt(block.header.beaconReference.height);
      if (judged === undefined || view === undefined) return false;
      const newestBeaconHeight = window.newest.height;
      const skip = { shard: instance.shard, view: view.lanes, share: parameters, held: held(), newestBeaconHeight };
      return hasFreshReference(block.header.beaconReference, newestBeaconHeight).ok && takesWhatIsHeld(judged, skip).ok;
    },
    execute: async (task) => {
      const { block, parent, seed } = task;
      const view = await viewFor(window, block.header);
      let judged = judgedBlocks.get(block);
      if (judged === undefined) {
        const verdict = await judge(task);
        invariant(verdict.ok, 'what is executed is valid');
        judged = verdict.value;
      }
      const { result, outbox } = await executeShardBlock({
        instance,
        block,
        judged,
        parent: parent.asParent,
        parentState: parent.version,
        view,
        parameters,
        evm,
        pause,
      });
      const version = states.extend(parent.version, block.header.height, result.changeSet);
      const commitment = shardCommitmentOf({ instance, block, judged, result, state: version, leafCounts: states.leafCounts(version) });
      const asParent = parentOfBlock(block, judged);
      return { hash: block.hash, facts: factsOf(asParent), commitment, seed, asParent, version, block, judged, result, outbox };
    },
  };
}

// What refers to a beacon block whose state is not kept any more is as if it were not here: the node is behind by more than it can follow.
async function viewFor(window: BeaconWindow, { beaconReference: { height, hash } }: BlockHeader): Promise<BeaconView> {
  await window.until(height);
  const view = window.viewAt(height);
  if (view === undefined) throw new CoppiceError('chain-blocks/not-held', { hash: bytesToHex(hash) });
  return view;
}

/** The outcome of an instance's start record. */
export function shardStartOutcome(instance: ShardInstance, version: StateVersion): ShardBlockOutcome {
  const asParent = parentOfRecord(instance);
  return {
    hash: instance.recordRoot,
    facts: factsOf(asParent),
    commitment: commitmentOfShardRecord(instance),
    seed: instance.record.seed,
    asParent,
    version,
  };
}

/** What a block is checked against. */
export function inputOf(
  { instance, parameters }: Pick<ShardBlockLogicDependencies, 'instance' | 'parameters'>,
  block: DecodedBlock,
  parent: ShardBlockOutcome,
  view: BeaconView,
): ShardBlockInput {
  return {
    instance,
    block,
    parent: parent.asParent,
    parentExecution: parent.commitment,
    parentState: parent.version,
    view,
    parameters,
  };
}

/** The facts that every chain's parent has. */
export function factsOf({ hash, height, timestampMs, baseFeePerGasWei, hasItems }: ShardParent): Outcome['facts'] {
  return { hash, height, timestampMs, baseFeePerGasWei, hasItems };
}
