// What a leaf of the account tree says (protocol, section 4).
import type { Address, Bytes32, Wei } from '../primitives/ids.ts';

/** A leaf of kind 0. An account that is empty under EIP-161 has no leaf. */
export interface Account {
  readonly nonce: bigint;
  readonly balanceWei: Wei;
  /** keccak256 of the code; of nothing when there is none. */
  readonly codeHash: Bytes32;
  /** Root of the account's storage tree; 32 zero bytes when empty. */
  readonly storageRoot: Bytes32;
  readonly family: Address;
}
