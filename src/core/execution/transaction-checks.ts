// Static checks of a transaction (protocol, section 5): all that must hold so that its sender part cannot fail. The mempool asks them
// on admission, the shard before it votes. They read the sender's account only, never the target's.

import { bytesEqual } from '../primitives/bytes.ts';
import type { Wei } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { INITCODE_BYTES_MAX } from '../protocol/gas.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';
import type { Transaction } from '../protocol/transaction.ts';
import type { Account } from '../state/account.ts';
import { EMPTY_CODE_HASH } from './account-value.ts';
import { dataFloorGas, intrinsicGas } from './intrinsic-gas.ts';

/** EIP-2681: a nonce is at most 2^64 − 2, so that it can still be increased. */
const NONCE_MAX = 2n ** 64n - 2n;

/** What is wrong with a transaction whatever the state. */
export type ShapeReason =
  | 'wrong-chain-id'
  | 'transaction-too-large'
  | 'priority-above-max-fee'
  | 'nonce-at-maximum'
  | 'initcode-too-large'
  | 'gas-limit-above-maximum'
  | 'intrinsic-gas-too-low'
  | 'data-floor-gas-too-low';

/** What is wrong with it in a certain state, at a certain price. */
export type AgainstStateReason = 'max-fee-below-base-fee' | 'sender-has-code' | 'nonce-too-low' | 'nonce-too-high' | 'insufficient-funds';

/** Checks that no state can change: chain, sizes, gas. */
export function checkTransactionShape(transaction: Transaction, parameters: NetworkParameters): Verdict<Transaction, ShapeReason> {
  const { gasLimit, data } = transaction;
  if (transaction.chainId !== parameters.evmChainId)
    return refuse('wrong-chain-id', `have ${transaction.chainId}, want ${parameters.evmChainId}`);
  if (transaction.raw.length > parameters.transactionBytesMax)
    return refuse('transaction-too-large', `${transaction.raw.length} bytes, at most ${parameters.transactionBytesMax}`);
  if (transaction.maxPriorityFeePerGasWei > transaction.maxFeePerGasWei)
    return refuse('priority-above-max-fee', `${transaction.maxPriorityFeePerGasWei} above ${transaction.maxFeePerGasWei}`);
  if (transaction.nonce > NONCE_MAX) return refuse('nonce-at-maximum', `${transaction.nonce}`);
  if (transaction.to === undefined && data.length > INITCODE_BYTES_MAX)
    return refuse('initcode-too-large', `code size ${data.length}, limit ${INITCODE_BYTES_MAX}`);
  if (gasLimit > parameters.transactionGasLimitMax)
    return refuse('gas-limit-above-maximum', `have ${gasLimit}, at most ${parameters.transactionGasLimitMax}`);
  const intrinsic = intrinsicGas(transaction);
  if (gasLimit < intrinsic) return refuse('intrinsic-gas-too-low', `have ${gasLimit}, want ${intrinsic}`);
  const floor = data.length === 0 ? 0 : dataFloorGas(data);
  if (gasLimit < floor) return refuse('data-floor-gas-too-low', `have ${gasLimit}, want ${floor}`);
  return accept(transaction);
}

/** EIP-3607: an account with code never sends. `account` is the sender's leaf at its natural place. */
export function checkSenderHasNoCode(account: Account | undefined): Verdict<true, 'sender-has-code'> {
  if (account === undefined || bytesEqual(account.codeHash, EMPTY_CODE_HASH)) return accept(true);
  return refuse('sender-has-code');
}

/** The most that a transaction can take from its sender: what is reserved until it is included. */
export function maximumCostWei(transaction: Transaction): Wei {
  return transaction.valueWei + BigInt(transaction.gasLimit) * transaction.maxFeePerGasWei;
}

/** The price check: what the block's transactions pay at least. */
export function checkPrice(transaction: Transaction, baseFeePerGasWei: Wei): Verdict<true, 'max-fee-below-base-fee'> {
  if (transaction.maxFeePerGasWei >= baseFeePerGasWei) return accept(true);
  return refuse('max-fee-below-base-fee', `maxFeePerGas ${transaction.maxFeePerGasWei}, baseFee ${baseFeePerGasWei}`);
}

/** What a body's transactions before this one have taken of its sender's account. */
export interface SenderReservation {
  /** The nonce that the next transaction must have. */
  readonly nextNonce: bigint;
  /** Σ (value + gas × maxFeePerGas) so far; credits of the same block do not count. */
  readonly reservedWei: Wei;
}

/** The checks against the sender's account in the parent's post-state; gives the reservation after this transaction. */
export function checkAgainstAccount(
  transaction: Transaction,
  account: Account | undefined,
  baseFeePerGasWei: Wei,
  before: SenderReservation = { nextNonce: account?.nonce ?? 0n, reservedWei: 0n },
): Verdict<SenderReservation, AgainstStateReason> {
  const code = checkSenderHasNoCode(account);
  if (!code.ok) return code;
  const price = checkPrice(transaction, baseFeePerGasWei);
  if (!price.ok) return price;
  if (transaction.nonce < before.nextNonce) return refuse('nonce-too-low', `tx nonce ${transaction.nonce}, want ${before.nextNonce}`);
  if (transaction.nonce > before.nextNonce) return refuse('nonce-too-high', `tx nonce ${transaction.nonce}, want ${before.nextNonce}`);
  const reservedWei = before.reservedWei + maximumCostWei(transaction);
  const balanceWei = account?.balanceWei ?? 0n;
  if (reservedWei > balanceWei) return refuse('insufficient-funds', `have ${balanceWei}, want ${reservedWei}`);
  return accept({ nextNonce: before.nextNonce + 1n, reservedWei });
}
