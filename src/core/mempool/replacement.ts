// When a transaction may take the place of another with the same sender and nonce: both prices must rise by a tenth, so that flooding
// the network with replacements costs something.
import type { Transaction } from '../protocol/transaction.ts';

/** The least rise of each price, in percent. */
export const REPLACEMENT_BUMP_PERCENT = 10n;

/** True when both prices of `next` are at least a tenth above those of `before`. */
export function mayReplace(before: Transaction, next: Transaction): boolean {
  return isBumped(before.maxFeePerGasWei, next.maxFeePerGasWei) && isBumped(before.maxPriorityFeePerGasWei, next.maxPriorityFeePerGasWei);
}

function isBumped(before: bigint, next: bigint): boolean {
  return next > before ? next * 100n >= before * (100n + REPLACEMENT_BUMP_PERCENT) : next === 0n && before === 0n;
}
