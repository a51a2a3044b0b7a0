// A world state in plain Maps, which makes change sets as execution does: the model that the state database is tested against.
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import type { Account } from '../../../src/core/state/account.ts';
import { EMPTY_CODE_HASH } from '../../../src/core/state/account-codec.ts';
import type { AccountChange, ChangeSet, StorageChange } from '../../../src/core/state/change-set.ts';
import type { StateReader } from '../../../src/core/state/state-reader.ts';

/** One account of the model. */
export interface ModelAccount {
  readonly nonce: bigint;
  readonly balanceWei: bigint;
  readonly slots: ReadonlyMap<string, Uint8Array>;
}

/** By `family/address` in small numbers. */
export type ModelState = ReadonlyMap<string, ModelAccount>;

/** What a step of a test does to one account. */
export interface ModelWrite {
  readonly family: number;
  readonly address: number;
  /** Undefined: the account is deleted. */
  readonly balanceWei: bigint | undefined;
  /** Deleted and created again in the block: old storage is gone. */
  readonly recreated: boolean;
  readonly slots: readonly { readonly slot: number; readonly value: number }[];
}

/** An address of 20 bytes from a small number. */
export function addressOf(number: number): Uint8Array {
  const address = new Uint8Array(20);
  address[0] = number;
  address[19] = number;
  return address;
}

/** A word of 32 bytes from a small number. */
export function wordOf(number: number): Uint8Array {
  const word = new Uint8Array(32);
  word[30] = number >>> 8;
  word[31] = number & 0xff;
  return word;
}

/** The model after `writes`, and the change set that says so; `before` is read from the version below, as execution reads it. */
export function applyWrites(
  state: ModelState,
  writes: readonly ModelWrite[],
  below: StateReader,
): { readonly state: ModelState; readonly changes: ChangeSet } {
  const next = new Map(state);
  const accounts: AccountChange[] = [];
  const byName = new Map(writes.map((write) => [nameOf(write), write]));
  for (const [name, write] of byName) {
    const old = state.get(name);
    const family = addressOf(write.family);
    const address = addressOf(write.address);
    const before = below.getAccount(family, address);
    if (write.balanceWei === undefined) {
      next.delete(name);
      if (before !== undefined) accounts.push({ family, address, before, after: undefined, storageCleared: true, storage: new Map() });
      continue;
    }
    const cleared = write.recreated && old !== undefined;
    const slots = new Map(cleared ? [] : (old?.slots ?? []));
    const storage = new Map<string, StorageChange>();
    for (const { slot, value } of write.slots) {
      const key = wordOf(slot);
      const hex = bytesToHex(key);
      const beforeValue = old?.slots.get(hex);
      const after = value === 0 ? undefined : wordOf(value);
      if (after === undefined) slots.delete(hex);
      else slots.set(hex, after);
      storage.set(hex, { slot: key, before: beforeValue, after });
    }
    const nonce = (old?.nonce ?? 0n) + 1n;
    next.set(name, { nonce, balanceWei: write.balanceWei, slots });
    const after: Account = {
      nonce,
      balanceWei: write.balanceWei,
      codeHash: EMPTY_CODE_HASH,
      storageRoot: before?.storageRoot ?? new Uint8Array(32),
      family,
    };
    accounts.push({ family, address, before, after, storageCleared: cleared, storage });
  }
  return { state: next, changes: { accounts, pointers: [], codes: new Map() } };
}

/** The change set that makes the whole model over the empty version: what its root must be equal to. */
export function wholeOf(state: ModelState, below: StateReader): ChangeSet {
  const writes = [...state].map(([name, account]): ModelWrite => {
    const [family = 0, address = 0] = name.split('/').map(Number);
    return { family, address, balanceWei: account.balanceWei, recreated: false, slots: [] };
  });
  const { changes } = applyWrites(new Map(), writes, below);
  const accounts = changes.accounts.map((change) => {
    const account = state.get(`${change.family[0]}/${change.address[0]}`) as ModelAccount;
    const storage = new Map(
      [...account.slots].map(([hex, after]) => [hex, { slot: Uint8Array.from(Buffer.from(hex, 'hex')), before: undefined, after }]),
    );
    return { ...change, after: { ...(change.after as Account), nonce: account.nonce }, storage };
  });
  return { ...changes, accounts };
}

function nameOf({ family, address }: { readonly family: number; readonly address: number }): string {
  return `${family}/${address}`;
}
