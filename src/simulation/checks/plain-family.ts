// One family's records as plain maps over the state before: what the second interpreter of items (plain-items.ts) keeps. It shares nothing
// with the overlay that blocks are executed on, and refuses to be asked for another family.
import { keccak256 } from '../../core/crypto/keccak.ts';
import { bytesToBigint, bytesToHex, hex } from '../../core/primitives/bytes.ts';
import type { Address, Bytes32, Hex, Wei } from '../../core/primitives/ids.ts';
import type { Account } from '../../core/state/account.ts';
import type { AccountChange, ChangeSet, StorageChange } from '../../core/state/change-set.ts';
import type { StateReader } from '../../core/state/state-reader.ts';

const NO_CODE_HASH = keccak256(new Uint8Array(0));
const NO_STORAGE = new Uint8Array(32);
/** The root that an account is shown with once something is stored where nothing was: EVM code asks no more than whether there is storage. */
const SOME_STORAGE = new Uint8Array(32).fill(1);

/** What an item knows of an account. */
export interface PlainAccount {
  readonly nonce: bigint;
  readonly balanceWei: Wei;
  readonly codeHash: Bytes32;
}

/** See the file's head. */
export class PlainFamily implements StateReader {
  readonly family: Address;
  readonly #familyHex: Hex;
  readonly #before: StateReader;
  /** By address; undefined where there is no leaf. What is not in it is as before. */
  readonly #accounts = new Map<Hex, PlainAccount | undefined>();
  /** By address, by slot: what was written. */
  readonly #slots = new Map<Hex, Map<Hex, Bytes32 | undefined>>();
  readonly #codes = new Map<Hex, Uint8Array>();
  #pointer: Address | undefined;

  constructor(family: Address, before: StateReader) {
    this.family = family;
    this.#familyHex = bytesToHex(family);
    this.#before = before;
  }

  /** The account at an address, if the family has a leaf there. */
  account(address: Address): PlainAccount | undefined {
    const addressHex = bytesToHex(address);
    if (this.#accounts.has(addressHex)) return this.#accounts.get(addressHex);
    return this.#before.getAccount(this.family, address);
  }

  /** Replaces an account; one that is empty under EIP-161 is none. */
  setAccount(address: Address, account: PlainAccount): void {
    const isEmpty = account.nonce === 0n && account.balanceWei === 0n && !isContract(account);
    this.#accounts.set(bytesToHex(address), isEmpty ? undefined : account);
  }

  /** Adds value. */
  credit(address: Address, amountWei: Wei): void {
    const { nonce, balanceWei, codeHash } = this.account(address) ?? { nonce: 0n, balanceWei: 0n, codeHash: NO_CODE_HASH };
    this.setAccount(address, { nonce, balanceWei: balanceWei + amountWei, codeHash });
  }

  /** The family that the pointer at this natural place names. */
  get pointer(): Address | undefined {
    return this.#pointer ?? this.#before.getPointer(this.family);
  }

  /** A pointer never changes. */
  writePointer(family: Address): void {
    if (this.pointer === undefined) this.#pointer = family;
  }

  /** Takes in what one item's code changed. */
  apply({ accounts, pointers, codes }: ChangeSet): void {
    if (pointers.length > 0) throw new Error('code wrote a pointer');
    for (const [hash, code] of codes) this.#codes.set(hash, code);
    for (const { family, address, after, storage } of accounts) {
      this.#mustBeOwn(family);
      const addressHex = bytesToHex(address);
      const slots = this.#slots.get(addressHex) ?? new Map<Hex, Bytes32 | undefined>();
      this.#slots.set(addressHex, slots);
      for (const [slot, change] of storage) slots.set(slot, change.after);
      this.setAccount(address, after ?? { nonce: 0n, balanceWei: 0n, codeHash: NO_CODE_HASH });
    }
  }

  /** What differs from before, in the form in which blocks say it. */
  changes(): ChangeSet {
    const touched = [...new Set([...this.#accounts.keys(), ...this.#slots.keys()])].sort();
    const accounts = touched.flatMap((addressHex) => this.#changeOf(hex(addressHex)) ?? []);
    const pointers = this.#pointer === undefined ? [] : [{ address: this.family, family: this.#pointer }];
    return { accounts, pointers, codes: this.#codes };
  }

  #changeOf(address: Address): AccountChange | undefined {
    const { family } = this;
    const [before, now] = [this.#before.getAccount(family, address), this.account(address)];
    const storage = new Map<Hex, StorageChange>();
    for (const [slotHex, after] of [...(this.#slots.get(bytesToHex(address)) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const slot = hex(slotHex);
      const was = before && this.#before.getStorage(family, address, slot);
      if (hexOf(was) !== hexOf(after)) storage.set(slotHex, { slot, before: was, after });
    }
    const isSame =
      before?.nonce === now?.nonce && before?.balanceWei === now?.balanceWei && hexOf(before?.codeHash) === hexOf(now?.codeHash);
    if (isSame && storage.size === 0) return undefined;
    const { nonce, balanceWei, codeHash } = now ?? {};
    const after = now && ({ nonce, balanceWei, codeHash, storageRoot: before?.storageRoot ?? NO_STORAGE, family } as Account);
    return { family, address, before, after: isSame ? before : after, storageCleared: false, storage };
  }

  getAccount(family: Address, address: Address): Account | undefined {
    this.#mustBeOwn(family);
    const account = this.account(address);
    if (account === undefined) return undefined;
    const { nonce, balanceWei, codeHash } = account;
    const before = this.#before.getAccount(family, address)?.storageRoot;
    const slots = this.#slots.get(bytesToHex(address))?.size ?? 0;
    return { nonce, balanceWei, codeHash, storageRoot: slots > 0 ? SOME_STORAGE : (before ?? NO_STORAGE), family };
  }

  getPointer(address: Address): Address | undefined {
    this.#mustBeOwn(address); // A pointer lies at its address's natural place.
    return this.pointer;
  }

  getStorage(family: Address, address: Address, slot: Bytes32): Bytes32 | undefined {
    this.#mustBeOwn(family);
    const [slots, slotHex] = [this.#slots.get(bytesToHex(address)), bytesToHex(slot)];
    if (slots?.has(slotHex) === true) return slots.get(slotHex);
    return this.#before.getAccount(family, address) && this.#before.getStorage(family, address, slot);
  }

  getCode(codeHash: Bytes32): Uint8Array | undefined {
    return this.#codes.get(bytesToHex(codeHash)) ?? this.#before.getCode(codeHash);
  }

  #mustBeOwn(family: Address): void {
    const asked = bytesToHex(family);
    if (asked !== this.#familyHex) throw new Error(`an item of family ${this.#familyHex} reads of family ${asked}`);
  }
}

/** True for an account with code. */
export function isContract({ codeHash }: PlainAccount): boolean {
  return bytesToBigint(codeHash) !== bytesToBigint(NO_CODE_HASH);
}

function hexOf(bytes: Uint8Array | undefined): Hex | undefined {
  return bytes && bytesToHex(bytes);
}
