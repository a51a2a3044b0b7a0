// Who may enter the pool: what holds of a transaction by itself and against its sender's account (the static checks of execution, in
// the words of geth, which wallets understand), and against what the pool already has of that sender.
import { checkSenderHasNoCode, checkTransactionShape, type ShapeReason } from '../execution/transaction-checks.ts';
import type { Wei } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';
import type { Transaction } from '../protocol/transaction.ts';
import type { Account } from '../state/account.ts';
import { mayReplace } from './replacement.ts';
import { entryAt, reservedWei, type SenderQueue } from './sender-queue.ts';

/** Why a transaction does not enter. Stable: metrics and RPC errors are chosen by it. */
export type AdmissionRefusal =
  | 'wrong-chain-id'
  | 'too-large'
  | 'tip-above-fee-cap'
  | 'nonce-too-high'
  | 'initcode-too-large'
  | 'gas-limit-too-high'
  | 'intrinsic-gas-too-low'
  | 'floor-data-gas-too-low'
  | 'fee-below-minimum'
  | 'sender-has-code'
  | 'nonce-too-low'
  | 'already-known'
  | 'replacement-underpriced'
  | 'insufficient-funds'
  | 'sender-queue-full'
  | 'pool-full';

const SHAPE_REFUSALS: Readonly<Record<ShapeReason, AdmissionRefusal>> = {
  'wrong-chain-id': 'wrong-chain-id',
  'transaction-too-large': 'too-large',
  'priority-above-max-fee': 'tip-above-fee-cap',
  'nonce-at-maximum': 'nonce-too-high',
  'initcode-too-large': 'initcode-too-large',
  'gas-limit-above-maximum': 'gas-limit-too-high',
  'intrinsic-gas-too-low': 'intrinsic-gas-too-low',
  'data-floor-gas-too-low': 'floor-data-gas-too-low',
};

/** Checks against the network's rules alone: all that can be said without the sender's account. */
export function checkBySelf(transaction: Transaction, parameters: NetworkParameters): Verdict<Transaction, AdmissionRefusal> {
  const shape = checkTransactionShape(transaction, parameters);
  if (!shape.ok) return refuse(SHAPE_REFUSALS[shape.reason], shape.detail);
  if (transaction.maxFeePerGasWei >= parameters.baseFeePerGasWeiMin) return accept(transaction);
  return refuse('fee-below-minimum', `gas fee cap ${transaction.maxFeePerGasWei}, minimum needed ${parameters.baseFeePerGasWeiMin}`);
}

/** Checks against the network's rules and the sender's account. */
export function checkAdmission(
  transaction: Transaction,
  account: Account | undefined,
  parameters: NetworkParameters,
): Verdict<Transaction, AdmissionRefusal> {
  const alone = checkBySelf(transaction, parameters);
  if (!alone.ok) return alone;
  const code = checkSenderHasNoCode(account);
  if (!code.ok) return code;
  const nextNonce = account?.nonce ?? 0n;
  if (transaction.nonce < nextNonce) return refuse('nonce-too-low', `next nonce ${nextNonce}, tx nonce ${transaction.nonce}`);
  return accept(transaction);
}

/** Checks against what the pool has of the same sender: replacement by price, funds for all of it together. */
export function checkAgainstQueue(
  transaction: Transaction,
  costWei: Wei,
  account: Account | undefined,
  queue: SenderQueue | undefined,
): Verdict<Transaction, AdmissionRefusal> {
  const balanceWei = account?.balanceWei ?? 0n;
  const before = queue === undefined ? undefined : entryAt(queue, transaction.nonce);
  if (before !== undefined && !mayReplace(before.transaction, transaction)) return refuse('replacement-underpriced');
  const othersWei = queue === undefined ? 0n : reservedWei(queue, account?.nonce ?? 0n, transaction.nonce);
  if (costWei > balanceWei) {
    return refuse('insufficient-funds', `balance ${balanceWei}, tx cost ${costWei}, overshot ${costWei - balanceWei}`);
  }
  if (othersWei + costWei > balanceWei) {
    const overshot = othersWei + costWei - balanceWei;
    return refuse('insufficient-funds', `balance ${balanceWei}, queued cost ${othersWei}, tx cost ${costWei}, overshot ${overshot}`);
  }
  return accept(transaction);
}
