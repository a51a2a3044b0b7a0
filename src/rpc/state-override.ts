// State overrides of `eth_call` and `eth_estimateGas`: a version of the state in which some accounts have another balance, nonce, code
// or storage, for one call. It is a reader over the true one, so the simulator knows nothing of it.
import { keccak256 } from '../core/crypto/keccak.ts';
import { EMPTY_CODE_HASH } from '../core/execution/account-value.ts';
import { bytesToHex, hexToBytes, ZERO_32 } from '../core/primitives/bytes.ts';
import type { Address, Bytes32, Hex, Wei } from '../core/primitives/ids.ts';
import { accept, refuse } from '../core/primitives/verdict.ts';
import type { Account } from '../core/state/account.ts';
import type { StateReader } from '../core/state/state-reader.ts';
import { accountAt, familyOf } from './account-lookup.ts';
import { expected, isObject, type Read, readAddress, readBigQuantity, readData, readHash, readMembers } from './parameter.ts';

/** What is different about one account. */
export interface AccountOverride {
  readonly balanceWei: Wei | undefined;
  readonly nonce: bigint | undefined;
  readonly code: Uint8Array | undefined;
  /** By slot. */
  readonly storage: ReadonlyMap<Hex, Bytes32> | undefined;
  /** True: slots that are not in `storage` are zero. False: they are what they were. */
  readonly isWholeStorage: boolean;
}

/** By address. */
export type StateOverrides = ReadonlyMap<Hex, AccountOverride>;

const ACCOUNTS_MAX = 1024;
const SLOTS_MAX = 16_384;

/** Of an account whose storage is overridden. */
const NOT_EMPTY_ROOT: Bytes32 = new Uint8Array(32).fill(0xff);

/** No overrides. */
export const NO_OVERRIDES: StateOverrides = new Map();

/** An object by address, of objects with balance, nonce, code, state or stateDiff. */
export const readStateOverrides: Read<StateOverrides> = (value) => {
  if (!isObject(value)) return expected('an object of state overrides', value);
  const entries = Object.entries(value);
  if (entries.length > ACCOUNTS_MAX) return refuse('invalid', `at most ${ACCOUNTS_MAX} accounts, got ${entries.length}`);
  const overrides = new Map<Hex, AccountOverride>();
  for (const [key, members] of entries) {
    const address = readAddress(key);
    if (!address.ok) return address;
    const override = readAccountOverride(members);
    if (!override.ok) return refuse('invalid', `${key}: ${override.detail}`);
    overrides.set(bytesToHex(address.value), override.value);
  }
  return accept(overrides);
};

/** The state as it is, but for the overrides. */
export function overrideState(state: StateReader, overrides: StateOverrides): StateReader {
  if (overrides.size === 0) return state;
  const codes = new Map<Hex, Uint8Array>();
  const accounts = new Map<Hex, Account>();
  for (const [addressHex, override] of overrides) {
    const account = overrideAccount(state, addressHex, override);
    accounts.set(addressHex, account);
    if (override.code !== undefined) codes.set(bytesToHex(account.codeHash), override.code);
  }
  return {
    getAccount: (family, address) => {
      const account = accounts.get(bytesToHex(address));
      // An account is in one family only: in others the override does not make it appear.
      return account !== undefined && bytesToHex(account.family) === bytesToHex(family) ? account : state.getAccount(family, address);
    },
    getPointer: (address) => state.getPointer(address),
    getStorage: (family, address, slot) => {
      const override = overrides.get(bytesToHex(address));
      const value = override?.storage?.get(bytesToHex(slot));
      if (value !== undefined) return bytesToHex(value) === bytesToHex(ZERO_32) ? undefined : value;
      return override?.isWholeStorage === true ? undefined : state.getStorage(family, address, slot);
    },
    getCode: (codeHash) => codes.get(bytesToHex(codeHash)) ?? state.getCode(codeHash),
  };
}

function overrideAccount(state: StateReader, addressHex: Hex, override: AccountOverride): Account {
  const address = hexToBytes(addressHex) as Address;
  const account = accountAt(state, address);
  return {
    nonce: override.nonce ?? account?.nonce ?? 0n,
    balanceWei: override.balanceWei ?? account?.balanceWei ?? 0n,
    codeHash: override.code === undefined ? (account?.codeHash ?? EMPTY_CODE_HASH) : keccak256(override.code),
    storageRoot: storageRootOf(account, override),
    family: account?.family ?? familyOf(state, address),
  };
}

// Execution does not look for slots under the empty root; no other root is told from another.
function storageRootOf(account: Account | undefined, { storage, isWholeStorage }: AccountOverride): Bytes32 {
  if (storage !== undefined && storage.size > 0) return NOT_EMPTY_ROOT;
  return isWholeStorage ? ZERO_32 : (account?.storageRoot ?? ZERO_32);
}

const readSlots: Read<ReadonlyMap<Hex, Bytes32>> = (value) => {
  if (!isObject(value)) return expected('an object of storage slots', value);
  const entries = Object.entries(value);
  if (entries.length > SLOTS_MAX) return refuse('invalid', `at most ${SLOTS_MAX} slots, got ${entries.length}`);
  const slots = new Map<Hex, Bytes32>();
  for (const [key, content] of entries) {
    const slot = readHash(key);
    if (!slot.ok) return slot;
    const word = readHash(content);
    if (!word.ok) return word;
    slots.set(bytesToHex(slot.value), word.value);
  }
  return accept(slots);
};

const OVERRIDE_MEMBERS = { balance: readBigQuantity, nonce: readBigQuantity, code: readData, state: readSlots, stateDiff: readSlots };

const readAccountOverride: Read<AccountOverride> = (value) => {
  if (!isObject(value)) return expected('an object with balance, nonce, code, state or stateDiff', value);
  const members = readMembers(value, OVERRIDE_MEMBERS);
  if (!members.ok) return members;
  const { balance, nonce, code, state, stateDiff } = members.value;
  if (state !== undefined && stateDiff !== undefined) return refuse('invalid', 'has both state and stateDiff');
  return accept({ balanceWei: balance, nonce, code, storage: state ?? stateDiff, isWholeStorage: state !== undefined });
};
