// Transactions for the mempool's tests. The pool never looks at signatures, so these have none; each is of its own hash.

import { EMPTY_CODE_HASH } from '../../../src/core/execution/account-value.ts';
import { bigintToBytes, bytesToHex } from '../../../src/core/primitives/bytes.ts';
import type { NetworkParameters } from '../../../src/core/protocol/parameters.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import type { Account } from '../../../src/core/state/account.ts';

export const GWEI = 1_000_000_000n;
export const ETHER = GWEI * GWEI;

export const parameters: NetworkParameters = {
  evmChainId: 1_131_376_752,
  blockGasLimit: 16_000_000,
  inboxGasShare: 8_000_000,
  inboxBytesShare: 524_288,
  transactionGasLimitMax: 8_000_000,
  bodyBytesMax: 1_048_576,
  transactionBytesMax: 131_072,
  roundTimeoutMs: 1_000,
  roundTimeoutMsMax: 20_000,
  roundTimeoutGrowthPercent: 150,
  resendIntervalMs: 500,
  blockIntervalMsMin: 20,
  idleIntervalMs: 1_000,
  leaderWindow: 8,
  baseFeePerGasWeiMin: 100_000_000n,
  committeeSeats: 4,
  clockToleranceMs: 500,
  mempoolTransactionsMax: 16_384,
  mempoolBytesMax: 33_554_432,
  mempoolTransactionsPerSenderMax: 64,
  fullHistoryBlocks: 16_384,
  epochBlocks: 80,
  takeoverGraceBlocks: 120,
  beaconBlockIntervalMsMin: 250,
};

let transactionsMade = 0;

export interface TransactionChoice {
  readonly sender?: number;
  readonly nonce?: number;
  readonly tipWei?: bigint;
  readonly feeWei?: bigint;
  readonly gasLimit?: number;
  readonly valueWei?: bigint;
  readonly bytes?: number;
}

export function makeTransaction(choice: TransactionChoice = {}): Transaction {
  const { sender = 1, nonce = 0, tipWei = GWEI, feeWei = 10n * GWEI, gasLimit = 21_000, valueWei = 1n, bytes = 110 } = choice;
  transactionsMade++;
  const hash = bigintToBytes(BigInt(transactionsMade), 32);
  const senderBytes = bigintToBytes(BigInt(sender), 20);
  return {
    type: 2,
    hash,
    hashHex: bytesToHex(hash),
    raw: new Uint8Array(bytes),
    chainId: parameters.evmChainId,
    nonce: BigInt(nonce),
    maxFeePerGasWei: feeWei,
    maxPriorityFeePerGasWei: tipWei,
    gasLimit,
    to: new Uint8Array(20).fill(0xee),
    valueWei,
    data: new Uint8Array(0),
    accessList: [],
    yParity: 0,
    sender: senderBytes,
    senderHex: bytesToHex(senderBytes),
  };
}

export function makeAccount(nonce = 0n, balanceWei = ETHER, codeHash = EMPTY_CODE_HASH): Account {
  return { nonce, balanceWei, codeHash, storageRoot: new Uint8Array(32), family: new Uint8Array(20) };
}
