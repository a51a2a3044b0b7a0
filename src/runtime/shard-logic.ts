// A shard's blocks, as the runtime runs them: transactions decode with their signers, static validation judges, the EVM executes, and the
// state of the parent becomes the state of the block.
import { commitmentOf } from '../core/execution/commitment.ts';
import { executeBlock } from '../core/execution/execute-block.ts';
import type { ExecutedBlock } from '../core/execution/executed-block.ts';
import type { ItemExecutor } from '../core/execution/item-executor.ts';
import type { Bytes32, Height, TimestampMs } from '../core/primitives/ids.ts';
import { accept, refuse } from '../core/primitives/verdict.ts';
import type { ExecutionContext } from '../core/protocol/message.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import { buildPayload } from '../core/shard/build-block.ts';
import { factsOfBlock } from '../core/shard/parent-facts.ts';
import { validateBlock } from '../core/shard/validate-block.ts';
import type { StateDatabase, StateVersion } from '../core/state/state-version.ts';
import type { ChainLogic, Outcome } from './chain-logic.ts';
import type { BlockContent } from './payload-maker.ts';
import type { TransactionDirectory } from './transaction-directory.ts';

/** BLOCKHASH reaches this far back. */
const BLOCK_HASHES = 256;

/** What a shard's block, or its start record, came to. */
export interface ShardOutcome extends Outcome {
  readonly version: StateVersion;
}

/** An outcome with what receipts and the view are made of. */
export interface ExecutedShardOutcome extends ShardOutcome {
  readonly executed: ExecutedBlock;
}

/** The block on a parent with these transactions, until there is a beacon. */
export function shardContentOn(parameters: NetworkParameters) {
  return (parent: ShardOutcome, transactions: readonly Transaction[], nowMs: TimestampMs): BlockContent => {
    const { body, ...fields } = buildPayload({
      parent: parent.facts,
      parentExecution: parent.commitment,
      transactions,
      nowMs,
      parameters,
    });
    return { fields, body, transactions };
  };
}

/** What running a shard's blocks needs of its node. */
export interface ShardLogicDependencies {
  readonly parameters: NetworkParameters;
  readonly states: StateDatabase;
  readonly directory: TransactionDirectory;
  readonly evm: ItemExecutor;
  /** Lets the host's event loop live during long executions; absent in virtual time. */
  readonly pause: (() => Promise<void>) | undefined;
}

/** See the file's head. */
export function createShardLogic(dependencies: ShardLogicDependencies): ChainLogic<ShardOutcome, ExecutedShardOutcome> {
  const { parameters, states, directory, evm, pause } = dependencies;
  return {
    decode: async (body, transactionHashes) => {
      const transactions: Transaction[] = [];
      for (const decoded of await directory.decode(body.transactions, transactionHashes)) {
        if (!decoded.ok) return refuse('undecodable-transaction', `${decoded.reason} ${decoded.detail}`);
        transactions.push(decoded.value);
      }
      return accept(transactions);
    },
    // Until there is a beacon no epoch ends.
    isClosing: () => false,
    validate: ({ block, parent: { facts, commitment, version } }) =>
      validateBlock({ block, parent: facts, parentExecution: commitment, parentState: version, parameters }),
    mayVoteFor: () => true,
    execute: async ({ block, parent, seed, ancestorHash }) => {
      const result = await executeBlock({
        transactions: block.transactions,
        parentState: parent.version,
        parentBaseFeePerGasWei: parent.facts.baseFeePerGasWei,
        context: contextOn(parent, ancestorHash),
        parameters,
        evm,
        ...(pause === undefined ? {} : { pause }),
      });
      const version = states.extend(parent.version, block.header.height, result.changeSet);
      const commitment = commitmentOf(result, version.root);
      return { hash: block.hash, facts: factsOfBlock(block), commitment, version, seed, executed: { block, result, commitment } };
    },
  };
}

// Until there is a beacon the parent stands for the beacon reference: NUMBER, TIMESTAMP and PREVRANDAO are its own.
function contextOn({ facts, seed }: ShardOutcome, ancestorHash: (height: Height) => Bytes32 | undefined): ExecutionContext {
  const { height, timestampMs } = facts;
  return {
    referenceHeight: height,
    referenceTimestampMs: timestampMs,
    prevRandao: seed,
    blockHash: (wanted) => (wanted < height && wanted >= height - BLOCK_HASHES ? ancestorHash(wanted) : undefined),
  };
}
