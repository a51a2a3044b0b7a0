// The state while a block executes: what items changed, over the immutable version that the block starts from. One undo log covers
// everything that a reverted frame must take back; it lives as long as an item. Net changes come out at the end, in one defined order.
import { bytesToHex, compareBytes, ZERO_32 } from '../primitives/bytes.ts';
import type { Address, Bytes32, Hex } from '../primitives/ids.ts';
import type { Account } from '../state/account.ts';
import type { AccountChange, ChangeSet, PointerChange, StorageChange } from '../state/change-set.ts';
import type { StateReader } from '../state/state-reader.ts';
import { type AccountValue, hasCode, isEmptyAccount } from './account-value.ts';
import { bytes32Of, wordOf } from './evm/words.ts';

const NO_CODE = new Uint8Array(0);
const NO_STORAGE_CHANGES: ReadonlyMap<Hex, StorageChange> = new Map();

/** One storage slot: before the block, at the start of the item that last touched it, and now. Zero is absence. */
export interface SlotEntry {
  readonly key: Hex;
  readonly before: bigint;
  original: bigint;
  value: bigint;
  /** The item for which `original` holds; a slot is warm in the item `warmItem`. */
  originalItem: number;
  warmItem: number;
}

/** One account of one family. `value` is undefined where there is no leaf. */
export interface AccountEntry {
  readonly family: FamilyEntry;
  readonly address: Address;
  readonly addressHex: Hex;
  readonly before: Account | undefined;
  value: AccountValue | undefined;
  /** Cached for `value.codeHash`: the same array each time, as jump analysis is cached by it. */
  code: Uint8Array | undefined;
  /** Made at the first access to storage: most accounts have none. */
  slots: Map<Hex, SlotEntry> | undefined;
}

/** The accounts of one family that the block has looked at. */
export interface FamilyEntry {
  readonly family: Address;
  readonly familyHex: Hex;
  /** The family's own account; `others` are made when needed, as most families are one externally owned account. */
  self: AccountEntry | undefined;
  others: Map<Hex, AccountEntry> | undefined;
}

/** Over a reader; see the file's head. All maps are bounded by the block's gas. */
export class StateOverlay {
  readonly #reader: StateReader;
  readonly #families = new Map<Hex, FamilyEntry>();
  readonly #pointers = new Map<Hex, PointerChange>();
  readonly #codes = new Map<Hex, Uint8Array>();
  /** Increases with each item: what slots and warm marks compare with. */
  itemNumber = 0;

  constructor(reader: StateReader) {
    this.#reader = reader;
  }

  /** The family's entry, made when first asked for. */
  family(family: Address, familyHex: Hex = bytesToHex(family)): FamilyEntry {
    let entry = this.#families.get(familyHex);
    if (entry === undefined) {
      entry = { family, familyHex, self: undefined, others: undefined };
      this.#families.set(familyHex, entry);
    }
    return entry;
  }

  /** The account's entry, read from the version below when first asked for. */
  account(family: FamilyEntry, address: Address, addressHex: Hex = bytesToHex(address)): AccountEntry {
    const isSelf = addressHex === family.familyHex;
    let entry = isSelf ? family.self : family.others?.get(addressHex);
    if (entry !== undefined) return entry;
    const before = this.#reader.getAccount(family.family, address);
    entry = { family, address, addressHex, before, value: before, code: undefined, slots: undefined };
    if (isSelf) {
      family.self = entry;
    } else {
      family.others ??= new Map();
      family.others.set(addressHex, entry);
    }
    return entry;
  }

  /** True when the family has a leaf at the address now. Makes no entry: most transfers ask this of a stranger. */
  hasLeaf(family: FamilyEntry, address: Address, addressHex: Hex): boolean {
    const entry = addressHex === family.familyHex ? family.self : family.others?.get(addressHex);
    if (entry !== undefined) return entry.value !== undefined;
    if (addressHex !== family.familyHex && this.#isLone(family.family)) return false;
    return this.#reader.getAccount(family.family, address) !== undefined;
  }

  /** The account's code; the same array each time. */
  code(entry: AccountEntry): Uint8Array {
    if (entry.value === undefined || !hasCode(entry.value)) return NO_CODE;
    if (entry.code === undefined) {
      const { codeHash } = entry.value;
      const code = this.#codes.get(bytesToHex(codeHash)) ?? this.#reader.getCode(codeHash);
      if (code === undefined) throw new Error(`invariant broken: code ${bytesToHex(codeHash)} of ${entry.addressHex} is in the state`);
      entry.code = code;
    }
    return entry.code;
  }

  /** A slot by its key, 64 hexadecimal digits. */
  slot(account: AccountEntry, key: Hex): SlotEntry {
    account.slots ??= new Map();
    let slot = account.slots.get(key);
    if (slot === undefined) {
      const before = this.#readSlot(account, key);
      slot = { key, before, original: before, value: before, originalItem: this.itemNumber, warmItem: 0 };
      account.slots.set(key, slot);
    } else if (slot.originalItem !== this.itemNumber) {
      slot.original = slot.value;
      slot.originalItem = this.itemNumber;
    }
    return slot;
  }

  #readSlot(account: AccountEntry, key: Hex): bigint {
    if (account.before === undefined || isZero(account.before.storageRoot)) return 0n;
    const value = this.#reader.getStorage(account.family.family, account.address, bytes32Of(BigInt(`0x${key}`)));
    return value === undefined ? 0n : wordOf(value);
  }

  /** True when any slot of the account is not zero: a creation there collides (EIP-7610). */
  hasStorage(account: AccountEntry): boolean {
    for (const slot of account.slots?.values() ?? []) if (slot.value !== 0n) return true;
    return account.before !== undefined && !isZero(account.before.storageRoot);
  }

  /** The family that the pointer at `address` names. */
  pointer(address: Address): Address | undefined {
    const written = this.#pointers.size === 0 ? undefined : this.#pointers.get(bytesToHex(address));
    if (written !== undefined) return written.family;
    return this.#isLone(address) ? undefined : this.#reader.getPointer(address);
  }

  // Most families are one account by itself: one look at it answers for every other leaf that it could have.
  #isLone(family: Address): boolean {
    return this.#reader.isLoneFamily?.(family) === true;
  }

  /** Writes a pointer; an equal one is there already after a CREATE2 that repeats, and stays. */
  writePointer(address: Address, family: Address): void {
    if (this.pointer(address) !== undefined) return;
    this.#pointers.set(bytesToHex(address), { address, family });
  }

  /** Keeps new code by its hash. Code of a reverted creation stays here unnamed: `changeSet` gives only what an account names. */
  addCode(codeHash: Bytes32, code: Uint8Array): void {
    this.#codes.set(bytesToHex(codeHash), code);
  }

  /** The net changes since the version below: accounts by family, then address; pointers by address. */
  changeSet(): ChangeSet {
    const accounts: AccountChange[] = [];
    const codes = new Map<Hex, Uint8Array>();
    for (const family of sortedBy([...this.#families.values()], (entry) => entry.familyHex)) {
      const members = family.others === undefined ? [] : [...family.others.values()];
      if (family.self !== undefined) members.push(family.self);
      for (const entry of sortedBy(members, (account) => account.addressHex)) {
        const change = changeOf(entry);
        if (change === undefined) continue;
        accounts.push(change);
        this.#collectCode(change, codes);
      }
    }
    return { accounts, pointers: sortedBy([...this.#pointers.entries()], ([key]) => key).map(([, pointer]) => pointer), codes };
  }

  #collectCode(change: AccountChange, codes: Map<Hex, Uint8Array>): void {
    if (this.#codes.size === 0 || change.after === undefined || change.after.codeHash === change.before?.codeHash) return;
    const codeHash = bytesToHex(change.after.codeHash);
    const code = this.#codes.get(codeHash);
    if (code !== undefined) codes.set(codeHash, code);
  }
}

// Storage of an account that was there before the block never goes whole: EIP-6780 deletes only what the same item created, where
// there was no storage (a creation upon storage collides, EIP-7610). So `storageCleared` is always false here.
function changeOf(entry: AccountEntry): AccountChange | undefined {
  const storage = entry.slots === undefined ? NO_STORAGE_CHANGES : storageChangesOf(entry.slots);
  const after = accountAfter(entry);
  if (storage.size === 0 && sameAccount(entry.before, after)) return undefined;
  return { family: entry.family.family, address: entry.address, before: entry.before, after, storageCleared: false, storage };
}

function storageChangesOf(slots: ReadonlyMap<Hex, SlotEntry>): ReadonlyMap<Hex, StorageChange> {
  const changes = new Map<Hex, StorageChange>();
  for (const [key, slot] of sortedBy([...slots.entries()], ([slotKey]) => slotKey)) {
    if (slot.before === slot.value) continue;
    changes.set(key, { slot: bytes32Of(BigInt(`0x${key}`)), before: storedWordOf(slot.before), after: storedWordOf(slot.value) });
  }
  return changes;
}

function storedWordOf(value: bigint): Bytes32 | undefined {
  return value === 0n ? undefined : bytes32Of(value);
}

function accountAfter(entry: AccountEntry): Account | undefined {
  const { value, before } = entry;
  if (value === undefined || isEmptyAccount(value)) return undefined;
  if (before !== undefined && sameAccount(before, value as Account)) return before;
  const { nonce, balanceWei, codeHash } = value;
  return { nonce, balanceWei, codeHash, storageRoot: before?.storageRoot ?? ZERO_32, family: entry.family.family };
}

function sameAccount(a: AccountValue | undefined, b: AccountValue | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a === b) return true;
  return a.nonce === b.nonce && a.balanceWei === b.balanceWei && (a.codeHash === b.codeHash || compareBytes(a.codeHash, b.codeHash) === 0);
}

function isZero(root: Bytes32): boolean {
  return root === ZERO_32 || compareBytes(root, ZERO_32) === 0;
}

// Hexadecimal strings of one length order as the bytes do.
function sortedBy<T>(items: T[], key: (item: T) => Hex): T[] {
  return items.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
