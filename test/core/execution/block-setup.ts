// Makes blocks of transactions for the tests of execution, without signatures: execution never looks at one.

import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { createOwnLoopExecutor } from '../../../src/core/execution/evm/own-loop-executor.ts';
import { type ExecuteBlockInput, executeBlock } from '../../../src/core/execution/execute-block.ts';
import type { BlockResult } from '../../../src/core/execution/executed-block.ts';
import { bytesToHex, hex } from '../../../src/core/primitives/bytes.ts';
import type { Address } from '../../../src/core/primitives/ids.ts';
import type { ExecutionContext } from '../../../src/core/protocol/message.ts';
import type { NetworkParameters } from '../../../src/core/protocol/parameters.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import type { StateReader } from '../../../src/core/state/state-reader.ts';

export const GWEI = 10n ** 9n;
export const ETHER = 10n ** 18n;
export const BASE_FEE_WEI = GWEI / 10n;

export const PARAMETERS: NetworkParameters = {
  evmChainId: 1131376752,
  blockGasLimit: 16_000_000,
  inboxGasShare: 8_000_000,
  inboxBytesShare: 512 * 1024,
  transactionGasLimitMax: 8_000_000,
  bodyBytesMax: 1024 * 1024,
  transactionBytesMax: 128 * 1024,
  roundTimeoutMs: 1_000,
  roundTimeoutMsMax: 20_000,
  roundTimeoutGrowthPercent: 150,
  resendIntervalMs: 500,
  blockIntervalMsMin: 20,
  idleIntervalMs: 1_000,
  leaderWindow: 8,
  baseFeePerGasWeiMin: BASE_FEE_WEI,
  committeeSeats: 4,
  clockToleranceMs: 500,
  mempoolTransactionsMax: 16_384,
  mempoolBytesMax: 32 * 1024 * 1024,
  mempoolTransactionsPerSenderMax: 64,
  fullHistoryBlocks: 1_000,
  epochBlocks: 80,
  takeoverGraceBlocks: 120,
  beaconBlockIntervalMsMin: 250,
};

export const CONTEXT: ExecutionContext = {
  referenceHeight: 1_000,
  referenceTimestampMs: 1_700_000_000_123,
  prevRandao: sha256(hex('01')),
  blockHash: (height) => sha256(Uint8Array.of(height >> 8, height & 0xff)),
};

/** A made-up address. */
export function addressOf(name: string): Address {
  return sha256(new TextEncoder().encode(name)).slice(0, 20);
}

let transactions = 0;

/** A transaction with everything that a test does not care about filled in. */
export function transactionOf(fields: Partial<Transaction> & { readonly sender: Address }): Transaction {
  const hash = sha256(hex((++transactions).toString(16).padStart(16, '0')));
  return {
    type: 2,
    hash,
    hashHex: bytesToHex(hash),
    raw: new Uint8Array(100),
    chainId: PARAMETERS.evmChainId,
    nonce: 0n,
    maxFeePerGasWei: 2n * GWEI,
    maxPriorityFeePerGasWei: GWEI,
    gasLimit: 21_000,
    to: undefined,
    valueWei: 0n,
    data: new Uint8Array(0),
    accessList: [],
    yParity: 0,
    senderHex: bytesToHex(fields.sender),
    ...fields,
  };
}

const executor = createOwnLoopExecutor(PARAMETERS.evmChainId);

/** Executes a block of these transactions. */
export function runBlock(
  parentState: StateReader,
  body: readonly Transaction[],
  other: Partial<ExecuteBlockInput> = {},
): Promise<BlockResult> {
  return executeBlock({
    transactions: body,
    parentState,
    parentBaseFeePerGasWei: BASE_FEE_WEI,
    context: CONTEXT,
    parameters: PARAMETERS,
    evm: executor,
    ...other,
  });
}
