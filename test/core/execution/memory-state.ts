// A version of the state in memory, for tests of execution: families of accounts, pointers, storage and code, and the next version by
// applying a change set.

import { keccak256 } from '../../../src/core/crypto/keccak.ts';
import { EMPTY_CODE_HASH } from '../../../src/core/execution/account-value.ts';
import { bytesToHex, hex, ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import type { Address, Bytes32, Hex } from '../../../src/core/primitives/ids.ts';
import type { Account } from '../../../src/core/state/account.ts';
import type { ChangeSet } from '../../../src/core/state/change-set.ts';
import type { StateReader } from '../../../src/core/state/state-reader.ts';

const SOME_STORAGE_ROOT = new Uint8Array(32).fill(0x55);

/** What a test says of an account; the family is its own unless named. */
export interface AccountSetup {
  readonly address: Address;
  readonly family?: Address;
  readonly balanceWei?: bigint;
  readonly nonce?: bigint;
  readonly code?: Uint8Array;
  readonly storage?: Readonly<Record<Hex, Bytes32>>;
}

/** See the file's head. */
export class MemoryState implements StateReader {
  readonly accounts = new Map<Hex, Account>();
  readonly storage = new Map<Hex, Bytes32>();
  readonly pointers = new Map<Hex, Address>();
  readonly codes = new Map<Hex, Uint8Array>();

  static of(setups: readonly AccountSetup[]): MemoryState {
    const state = new MemoryState();
    for (const setup of setups) state.#add(setup);
    return state;
  }

  #add({ address, family = address, balanceWei = 0n, nonce = 0n, code, storage = {} }: AccountSetup): void {
    const codeHash = code === undefined || code.length === 0 ? EMPTY_CODE_HASH : keccak256(code);
    if (code !== undefined) this.codes.set(bytesToHex(codeHash), code);
    const slots = Object.entries(storage);
    const storageRoot = slots.length === 0 ? ZERO_32 : SOME_STORAGE_ROOT;
    this.accounts.set(keyOf(family, address), { nonce, balanceWei, codeHash, storageRoot, family });
    for (const [slot, value] of slots) this.storage.set(keyOf(family, address) + slot, value);
    if (bytesToHex(family) !== bytesToHex(address)) this.pointers.set(bytesToHex(address), family);
  }

  getAccount(family: Address, address: Address): Account | undefined {
    return this.accounts.get(keyOf(family, address));
  }

  getPointer(address: Address): Address | undefined {
    return this.pointers.get(bytesToHex(address));
  }

  getStorage(family: Address, address: Address, slot: Bytes32): Bytes32 | undefined {
    return this.storage.get(keyOf(family, address) + bytesToHex(slot));
  }

  getCode(codeHash: Bytes32): Uint8Array | undefined {
    return this.codes.get(bytesToHex(codeHash));
  }

  /** The version after the changes; checks that each `before` is what was here. */
  after(changes: ChangeSet): MemoryState {
    const next = new MemoryState();
    for (const [key, account] of this.accounts) next.accounts.set(key, account);
    for (const [key, value] of this.storage) next.storage.set(key, value);
    for (const [key, family] of this.pointers) next.pointers.set(key, family);
    for (const [hash, code] of [...this.codes, ...changes.codes]) next.codes.set(hash, code);
    for (const change of changes.accounts) {
      const key = keyOf(change.family, change.address);
      if (next.accounts.get(key) !== change.before) throw new Error(`the change of ${key} does not begin at what is there`);
      for (const [slot, { after }] of change.storage) {
        if (after === undefined) next.storage.delete(key + slot);
        else next.storage.set(key + slot, after);
      }
      if (change.after === undefined) next.accounts.delete(key);
      else next.accounts.set(key, change.storage.size === 0 ? change.after : { ...change.after, storageRoot: next.#rootOf(key) });
    }
    for (const { address, family } of changes.pointers) next.pointers.set(bytesToHex(address), family);
    return next;
  }

  #rootOf(key: string): Bytes32 {
    for (const name of this.storage.keys()) if (name.startsWith(key)) return SOME_STORAGE_ROOT;
    return ZERO_32;
  }

  /** The part of some families. */
  only(isTheirs: (family: Address) => boolean): MemoryState {
    const part = new MemoryState();
    for (const [key, account] of this.accounts) {
      if (!isTheirs(account.family)) continue;
      part.accounts.set(key, account);
      for (const [slot, value] of this.storage) if (slot.startsWith(key)) part.storage.set(slot, value);
    }
    for (const [address, family] of this.pointers) if (isTheirs(hex(address))) part.pointers.set(address, family);
    for (const [hash, code] of this.codes) part.codes.set(hash, code);
    return part;
  }

  /** The parts as one state again. */
  static join(parts: readonly MemoryState[]): MemoryState {
    const whole = new MemoryState();
    for (const part of parts) {
      for (const [key, account] of part.accounts) whole.accounts.set(key, account);
      for (const [slot, value] of part.storage) whole.storage.set(slot, value);
      for (const [address, family] of part.pointers) whole.pointers.set(address, family);
      for (const [hash, code] of part.codes) whole.codes.set(hash, code);
    }
    return whole;
  }

  /** Everything but code, in one defined order: what must be equal under every layout. */
  contents(): unknown {
    const sorted = <T>(map: ReadonlyMap<Hex, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
    return { accounts: sorted(this.accounts), storage: sorted(this.storage), pointers: sorted(this.pointers) };
  }

  /** Σ of all balances. */
  totalWei(): bigint {
    let total = 0n;
    for (const { balanceWei } of this.accounts.values()) total += balanceWei;
    return total;
  }

  /** The balance of an account of a family. */
  balance(address: Address, family: Address = address): bigint {
    return this.getAccount(family, address)?.balanceWei ?? 0n;
  }
}

function keyOf(family: Address, address: Address): Hex {
  return `${bytesToHex(family)}/${bytesToHex(address)}/`;
}
