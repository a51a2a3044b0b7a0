// What a block changes: old and new values, so that a shard can be rolled back to its last anchored execution (protocol, section 4).
import type { Address, Bytes32, Hex } from '../primitives/ids.ts';
import type { Account } from './account.ts';

/** A slot's value before and after; undefined is zero. `slot` is the EVM's key, not hashed. */
export interface StorageChange {
  readonly slot: Bytes32;
  readonly before: Bytes32 | undefined;
  readonly after: Bytes32 | undefined;
}

/** An account before and after. `after.storageRoot` is still the one of `before`: the tree computes the new one from `storage`. */
export interface AccountChange {
  readonly family: Address;
  readonly address: Address;
  readonly before: Account | undefined;
  readonly after: Account | undefined;
  /** True when the storage that was there before the block is gone whole (EIP-6780 deletion, or re-creation). */
  readonly storageCleared: boolean;
  /** By slot in hexadecimal; only slots whose value differs. */
  readonly storage: ReadonlyMap<Hex, StorageChange>;
}

/** A pointer leaf that came into being. Pointers never change and never go. */
export interface PointerChange {
  readonly address: Address;
  readonly family: Address;
}

/** Everything that executing one block changed, ready to be made a version of the tree. Net changes: what ends as it began is not in it. */
export interface ChangeSet {
  readonly accounts: readonly AccountChange[];
  readonly pointers: readonly PointerChange[];
  /** New code by hash (hexadecimal). */
  readonly codes: ReadonlyMap<Hex, Uint8Array>;
}
