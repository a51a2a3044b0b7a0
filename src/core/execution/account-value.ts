// The part of an account that execution changes. Values are immutable and replaced, so that the undo log keeps the old one by reference.
import { keccak256Portable } from '../crypto/keccak.ts';
import { bytesEqual } from '../primitives/bytes.ts';
import type { Bytes32, Wei } from '../primitives/ids.ts';

/** keccak256 of nothing: the code hash of an account without code. Never write to it. */
export const EMPTY_CODE_HASH: Bytes32 = keccak256Portable(new Uint8Array(0));

/** Nonce, balance and code hash; family and storage root are not execution's to change. */
export interface AccountValue {
  readonly nonce: bigint;
  readonly balanceWei: Wei;
  readonly codeHash: Bytes32;
}

/** What an address without a leaf is. */
export const EMPTY_ACCOUNT: AccountValue = { nonce: 0n, balanceWei: 0n, codeHash: EMPTY_CODE_HASH };

/** Empty under EIP-161: such an account has no leaf. */
export function isEmptyAccount(value: AccountValue): boolean {
  return value.nonce === 0n && value.balanceWei === 0n && !hasCode(value);
}

/** True for a contract. */
export function hasCode(value: AccountValue): boolean {
  return value.codeHash !== EMPTY_CODE_HASH && !bytesEqual(value.codeHash, EMPTY_CODE_HASH);
}
