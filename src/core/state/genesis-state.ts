// The changes that make the first version: the accounts of genesis over the empty state.
import { keccak256 } from '../crypto/keccak.ts';
import { bytesEqual, bytesToHex, ZERO_32 } from '../primitives/bytes.ts';
import type { Address, Bytes32, Hex, Wei } from '../primitives/ids.ts';
import { EMPTY_CODE_HASH } from './account-codec.ts';
import type { AccountChange, ChangeSet, PointerChange, StorageChange } from './change-set.ts';

/** An account that is there from the beginning. A genesis contract's family is its own address. */
export interface GenesisStateAccount {
  readonly address: Address;
  readonly family: Address;
  readonly balanceWei: Wei;
  readonly nonce: bigint;
  readonly code: Uint8Array;
  readonly storage: readonly { readonly slot: Bytes32; readonly value: Bytes32 }[];
}

/** The change set of `accounts` (each address once) over the empty version. Accounts that are empty under EIP-161 have no leaf. */
export function buildGenesisState(accounts: readonly GenesisStateAccount[]): ChangeSet {
  const changes: AccountChange[] = [];
  const pointers: PointerChange[] = [];
  const codes = new Map<Hex, Uint8Array>();
  for (const { address, family, balanceWei, nonce, code, storage } of accounts) {
    if (balanceWei === 0n && nonce === 0n && code.length === 0) continue;
    const codeHash = code.length === 0 ? EMPTY_CODE_HASH : keccak256(code);
    if (code.length > 0) codes.set(bytesToHex(codeHash), code);
    if (!bytesEqual(family, address)) pointers.push({ address, family });
    const after = { nonce, balanceWei, codeHash, storageRoot: ZERO_32, family };
    changes.push({ family, address, before: undefined, after, storageCleared: false, storage: slotsOf(storage) });
  }
  return { accounts: changes, pointers, codes };
}

const NO_SLOTS: ReadonlyMap<Hex, StorageChange> = new Map();

function slotsOf(storage: GenesisStateAccount['storage']): ReadonlyMap<Hex, StorageChange> {
  if (storage.length === 0) return NO_SLOTS;
  const written = storage.filter(({ value }) => !bytesEqual(value, ZERO_32));
  return new Map(written.map(({ slot, value }) => [bytesToHex(slot), { slot, before: undefined, after: value }]));
}
