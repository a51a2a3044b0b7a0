// How execution reads a version of the state: synchronously, since the EVM reads in its innermost loop (architecture, section 4).
import type { Address, Bytes32 } from '../primitives/ids.ts';
import type { Account } from './account.ts';

/** A version of the world state, immutable. What it returns must not be modified. */
export interface StateReader {
  /** The account `address` in `family`; undefined where there is no leaf. */
  getAccount(family: Address, address: Address): Account | undefined;
  /** The family that the pointer leaf at `address`'s natural place names. */
  getPointer(address: Address): Address | undefined;
  /**
   * True when the family has no leaf but its own account's: then no other address has an account in it, and no pointer is at its
   * natural place. False says nothing. Worth asking where the account is about to be changed: it reads what the next version's tree
   * needs of the family anyway. A reader without it always says false.
   */
  isLoneFamily?(family: Address): boolean;
  /** A storage slot's 32-byte value; undefined for zero. `slot` is the EVM's key, not hashed. */
  getStorage(family: Address, address: Address, slot: Bytes32): Bytes32 | undefined;
  /** Code by its hash. The same array each time for the same hash while it stays cached. */
  getCode(codeHash: Bytes32): Uint8Array | undefined;
}
