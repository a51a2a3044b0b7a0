// Composes one shard of a node: a chain whose blocks hold transactions and whose commits change the state and the view.
import type { ItemExecutor } from '../core/execution/item-executor.ts';
import type { ValidatorIndex } from '../core/primitives/ids.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { ViewBlock } from '../core/view/view-block.ts';
import { HistoryPruner } from '../runtime/history-pruner.ts';
import type { InstanceSwitch } from '../runtime/instance-switch.ts';
import { type CommittedBlock, ShardCommits } from '../runtime/shard-commits.ts';
import { createShardLogic, type ExecutedShardOutcome, type ShardOutcome, shardContentOn } from '../runtime/shard-logic.ts';
import { createShardPayloads, type TransactionSource } from '../runtime/shard-payloads.ts';
import type { ValidatorSecrets } from '../runtime/signer.ts';
import type { TransactionDirectory } from '../runtime/transaction-directory.ts';
import type { SigningRecord } from '../storage/signing-record.ts';
import type { LoadedChain } from './chain-storage.ts';
import { type Chain, createChain } from './create-chain.ts';
import type { NodePorts } from './create-node.ts';

/** What composing a shard takes beside the node's ports. */
export interface CreateShardOptions extends NodePorts {
  readonly parameters: NetworkParameters;
  readonly loaded: LoadedChain;
  readonly self: ValidatorIndex | undefined;
  readonly secrets: ValidatorSecrets | undefined;
  readonly directory: TransactionDirectory;
  readonly evm: ItemExecutor;
  readonly transactions: TransactionSource;
  readonly signingRecord: SigningRecord;
  readonly instances: InstanceSwitch;
  readonly lastViewBlock: ViewBlock;
  /** How many blocks before the newest keep their state; infinite for an archive. */
  readonly stateBlocks: number;
  readonly onCommitted: (committed: CommittedBlock) => void;
  readonly onFault: (fault: unknown) => void;
}

/** One shard of a node. */
export interface ShardChain extends Chain<ShardOutcome, ExecutedShardOutcome> {
  readonly parameters: NetworkParameters;
  readonly pruner: HistoryPruner;
}

/** See the file's head. */
export async function createShard(options: CreateShardOptions): Promise<ShardChain> {
  const { loaded, parameters } = options;
  let committedHeight = loaded.committed.facts.height;
  const pruner = new HistoryPruner({
    ...options,
    chain: loaded.instance.chain,
    // A restart begins with the block that clients see, one below the newest.
    neededFrom: () => committedHeight - 1,
  });
  const onCommitted = (committed: CommittedBlock): void => {
    committedHeight = committed.outcome.facts.height;
    options.onCommitted(committed);
    pruner.onCommitted();
  };
  const chain = await createChain({
    ...options,
    logic: createShardLogic(options),
    rows: new ShardCommits({ ...options, committed: loaded.committed, onCommitted }),
    payloadsOn: (blocks) =>
      createShardPayloads({
        ...options,
        blocks,
        urgencyOn: () => 'none',
        onUrgency: () => undefined,
        contentOn: shardContentOn(parameters),
      }),
  });
  return {
    ...chain,
    parameters,
    pruner,
    stop: async () => {
      await pruner.stop();
      await chain.stop();
    },
  };
}
