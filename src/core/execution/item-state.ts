// The state as one item sees it: exactly one family's records, warm sets, transient storage, logs and the outbox, all on one undo log,
// so that a reverted frame takes back its messages with everything else (protocol, section 10.3). Everything here is synchronous.
//
// *Foreign* is every address with no record in the family: its balance, code size and hash are then empty by themselves.

import type { CallTerms } from '../messaging/emit.ts';
import type { Address, Hex, Wei } from '../primitives/ids.ts';
import type { Log } from '../protocol/message.ts';
import { type AccountValue, EMPTY_ACCOUNT, isEmptyAccount } from './account-value.ts';
import type { AccountEntry, FamilyEntry, SlotEntry, StateOverlay } from './state-overlay.ts';

/** A message that code emitted. Its place in the outbox is final: a revert cuts off the end, and what stays has the id that it had. */
export type Emission =
  | { readonly kind: 'value-send' | 'credit'; readonly from: Address; readonly to: Address; readonly valueWei: Wei }
  | ({ readonly kind: 'call' } & CallTerms);

/** A place in the undo log. */
export type Checkpoint = number;

type Undo =
  | {
      readonly kind: 'account';
      readonly entry: AccountEntry;
      readonly value: AccountValue | undefined;
      readonly code: Uint8Array | undefined;
    }
  | { readonly kind: 'slot'; readonly slot: SlotEntry; readonly value: bigint }
  | { readonly kind: 'warm-slot'; readonly slot: SlotEntry; readonly warmItem: number }
  | { readonly kind: 'warm-address'; readonly addressHex: Hex }
  | { readonly kind: 'transient'; readonly key: Hex; readonly value: bigint }
  | { readonly kind: 'log' }
  | { readonly kind: 'emission' }
  | { readonly kind: 'created'; readonly addressHex: Hex }
  | { readonly kind: 'destroyed'; readonly addressHex: Hex }
  | { readonly kind: 'burned'; readonly amountWei: Wei };

/** One item's view; made for the item and dropped with it. */
export class ItemState {
  readonly overlay: StateOverlay;
  readonly family: FamilyEntry;
  readonly logs: Log[] = [];
  readonly outbox: Emission[] = [];
  /** Contracts created in this item, in the order in which their creation began. */
  readonly created = new Map<Hex, Address>();
  readonly #destroyed = new Set<Hex>();
  readonly #warmAddresses = new Set<Hex>();
  readonly #transient = new Map<Hex, bigint>();
  readonly #undo: Undo[] = [];
  #burnedWei: Wei = 0n;
  /**
   * eth_call only: families other than the item's may be read (protocol, section 7). Never set when a block executes.
   */
  readonly readsWorld: boolean;

  constructor(overlay: StateOverlay, family: Address, readsWorld = false) {
    this.overlay = overlay;
    this.family = overlay.family(family);
    this.readsWorld = readsWorld;
    overlay.itemNumber++;
  }

  checkpoint(): Checkpoint {
    return this.#undo.length;
  }

  /** Takes back everything since the checkpoint, newest first. */
  revert(checkpoint: Checkpoint): void {
    while (this.#undo.length > checkpoint) {
      const undo = this.#undo.pop() as Undo;
      switch (undo.kind) {
        case 'account':
          undo.entry.value = undo.value;
          undo.entry.code = undo.code;
          break;
        case 'slot':
          undo.slot.value = undo.value;
          break;
        case 'warm-slot':
          undo.slot.warmItem = undo.warmItem;
          break;
        case 'warm-address':
          this.#warmAddresses.delete(undo.addressHex);
          break;
        case 'transient':
          this.#transient.set(undo.key, undo.value);
          break;
        case 'log':
          this.logs.pop();
          break;
        case 'emission':
          this.outbox.pop();
          break;
        case 'created':
          this.created.delete(undo.addressHex);
          break;
        case 'destroyed':
          this.#destroyed.delete(undo.addressHex);
          break;
        case 'burned':
          this.#burnedWei -= undo.amountWei;
      }
    }
  }

  /** The account in the item's family, or in another one that eth_call reads. */
  account(address: Address, addressHex: Hex, family: FamilyEntry = this.family): AccountEntry {
    return this.overlay.account(family, address, addressHex);
  }

  /** Replaces an account's value; a value that is empty under EIP-161 is no leaf. */
  setAccount(entry: AccountEntry, value: AccountValue): void {
    this.#undo.push({ kind: 'account', entry, value: entry.value, code: entry.code });
    entry.value = isEmptyAccount(value) ? undefined : value;
  }

  addBalance(entry: AccountEntry, amountWei: Wei): void {
    if (amountWei === 0n) return;
    const value = entry.value ?? EMPTY_ACCOUNT;
    this.setAccount(entry, { nonce: value.nonce, balanceWei: value.balanceWei + amountWei, codeHash: value.codeHash });
  }

  setCode(entry: AccountEntry, codeHash: Uint8Array, code: Uint8Array): void {
    const value = entry.value ?? EMPTY_ACCOUNT;
    this.setAccount(entry, { nonce: value.nonce, balanceWei: value.balanceWei, codeHash });
    entry.code = code;
    this.overlay.addCode(codeHash, code);
  }

  setSlot(slot: SlotEntry, value: bigint): void {
    if (slot.value === value) return;
    this.#undo.push({ kind: 'slot', slot, value: slot.value });
    slot.value = value;
  }

  /** Warms a slot (EIP-2929); true when it was cold. */
  warmSlot(slot: SlotEntry): boolean {
    const item = this.overlay.itemNumber;
    if (slot.warmItem === item) return false;
    this.#undo.push({ kind: 'warm-slot', slot, warmItem: slot.warmItem });
    slot.warmItem = item;
    return true;
  }

  isWarmAddress(addressHex: Hex): boolean {
    return this.#warmAddresses.has(addressHex);
  }

  /** Warms an address (EIP-2929); true when it was cold. */
  warmAddress(addressHex: Hex): boolean {
    if (this.#warmAddresses.has(addressHex)) return false;
    this.#warmAddresses.add(addressHex);
    this.#undo.push({ kind: 'warm-address', addressHex });
    return true;
  }

  transient(addressHex: Hex, key: Hex): bigint {
    return this.#transient.get(addressHex + key) ?? 0n;
  }

  setTransient(addressHex: Hex, slot: Hex, value: bigint): void {
    const key = addressHex + slot;
    this.#undo.push({ kind: 'transient', key, value: this.#transient.get(key) ?? 0n });
    this.#transient.set(key, value);
  }

  addLog(log: Log): void {
    this.logs.push(log);
    this.#undo.push({ kind: 'log' });
  }

  emit(emission: Emission): void {
    this.outbox.push(emission);
    this.#undo.push({ kind: 'emission' });
  }

  /** Marks a contract as created in this item, before its code runs. */
  markCreated(address: Address, addressHex: Hex): void {
    if (this.created.has(addressHex)) return;
    this.created.set(addressHex, address);
    this.#undo.push({ kind: 'created', addressHex });
  }

  markDestroyed(addressHex: Hex): void {
    if (this.#destroyed.has(addressHex)) return;
    this.#destroyed.add(addressHex);
    this.#undo.push({ kind: 'destroyed', addressHex });
  }

  /** A contract that was created in this item destroys itself in its own favour: what it holds is gone (EIP-6780). */
  burn(entry: AccountEntry): void {
    const amountWei = entry.value?.balanceWei ?? 0n;
    if (amountWei === 0n) return;
    this.addBalance(entry, -amountWei);
    this.#burnedWei += amountWei;
    this.#undo.push({ kind: 'burned', amountWei });
  }

  /**
   * Ends a successful item: deletes what it created and destroyed (EIP-6780). What such a contract still holds is burned; returned.
   * The contracts that still exist stay in `created`: each gets a pointer.
   */
  finish(): Wei {
    let burnedWei = this.#burnedWei;
    for (const addressHex of this.#destroyed) {
      const address = this.created.get(addressHex);
      if (address === undefined) continue; // There before the item: SELFDESTRUCT has only sent its balance.
      const entry = this.account(address, addressHex);
      burnedWei += entry.value?.balanceWei ?? 0n;
      entry.value = undefined;
      entry.code = undefined;
      for (const slot of entry.slots?.values() ?? []) slot.value = 0n;
      this.created.delete(addressHex);
    }
    this.#undo.length = 0;
    return burnedWei;
  }
}
