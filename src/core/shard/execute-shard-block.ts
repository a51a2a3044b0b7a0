// Executing a shard's block where there is a beacon (protocol, section 5): the inbox as it was taken, then its transactions, in the context of
// its reference; what is for families of other shards becomes the outbox, by the layout of the block's own epoch.
import { executeBlock } from '../execution/execute-block.ts';
import type { BlockResult, DecodedBlock } from '../execution/executed-block.ts';
import type { ItemExecutor } from '../execution/item-executor.ts';
import { makeOutbox, type Outbox } from '../messaging/outbox.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';
import type { StateReader } from '../state/state-reader.ts';
import { type BeaconView, contextOf, isFamilyOf, type ShardInstance } from './beacon-view.ts';
import type { ShardParent } from './shard-parent.ts';
import type { JudgedShardBlock } from './validate-shard-block.ts';

/** Everything that the result follows from. The block is valid (validate-shard-block.ts). */
export interface ExecuteShardBlockInput {
  readonly instance: ShardInstance;
  readonly block: Pick<DecodedBlock, 'header' | 'transactions'>;
  readonly judged: JudgedShardBlock;
  readonly parent: Pick<ShardParent, 'baseFeePerGasWei'>;
  readonly parentState: StateReader;
  readonly view: BeaconView;
  readonly parameters: NetworkParameters;
  readonly evm: ItemExecutor;
  /** Lets the host's event loop live. */
  readonly pause?: (() => Promise<void>) | undefined;
}

/** A block's result, and what it sent to other shards. */
export interface ExecutedShardBlock {
  readonly result: BlockResult;
  readonly outbox: Outbox;
}

/** See the file's head. */
export async function executeShardBlock(input: ExecuteShardBlockInput): Promise<ExecutedShardBlock> {
  const { instance, block, judged, parent, parentState, view, parameters, evm, pause } = input;
  let outbox = makeOutbox(instance.shard, block.header.height, [], instance.layout);
  const result = await executeBlock({
    transactions: block.transactions,
    parentState,
    parentBaseFeePerGasWei: parent.baseFeePerGasWei,
    inbox: judged.inbox.messages,
    isOwnFamily: (family) => isFamilyOf(instance, family),
    outboxRootOf(emitted) {
      outbox = makeOutbox(instance.shard, block.header.height, emitted, instance.layout);
      return outbox.root;
    },
    targetBaseFeeOf: ({ hashHex }) => judged.targets.get(hashHex)?.baseFeePerGasWei ?? 0n,
    targetFamilyOf: ({ hashHex }) => judged.targets.get(hashHex)?.provenFamily,
    context: contextOf(view),
    parameters,
    evm,
    pause,
  });
  return { result, outbox };
}
