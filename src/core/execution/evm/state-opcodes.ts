// Opcodes that read or write state, all synchronous: storage, transient storage, accounts, block hashes.
import type { Hex } from '../../primitives/ids.ts';
import { EMPTY_CODE_HASH } from '../account-value.ts';
import { BLOCK_HASHES_SEEN } from '../remembered-context.ts';
import type { AccountEntry, FamilyEntry } from '../state-overlay.ts';
import { copyCode } from './data-opcodes.ts';
import type { Frame } from './frame.ts';
import {
  BLOCKHASH_GAS,
  COLD_ACCOUNT_GAS,
  COLD_SLOT_GAS,
  LOW_GAS,
  SSTORE_RESET_GAS,
  SSTORE_SENTRY_GAS,
  SSTORE_SET_GAS,
  WARM_GAS,
} from './gas-costs.ts';
import { halt } from './halt.ts';
import type { Machine } from './machine.ts';
import { addressBytesOf, addressHexOf, slotKeyOf, wordOf } from './words.ts';

/** SLOAD. */
export function loadSlot(machine: Machine, frame: Frame): void {
  const { state } = machine;
  const key = slotKeyOf(frame.stack.pop());
  // A slot that was not looked at yet is cold: without the gas for that it is not read from disk.
  if (frame.gasLeft < COLD_SLOT_GAS && frame.self.slots?.has(key) !== true) halt('out-of-gas');
  const slot = state.overlay.slot(frame.self, key);
  frame.useGas(state.warmSlot(slot) ? COLD_SLOT_GAS : WARM_GAS);
  frame.stack.push(slot.value);
}

/** SSTORE (EIP-2200, EIP-2929). The refund counter is not kept: what is bought is paid, and nothing comes back. */
export function storeSlot(machine: Machine, frame: Frame): void {
  if (frame.start.isStatic) halt('write-protection');
  const { stack } = frame;
  stack.need(2);
  if (frame.gasLeft <= SSTORE_SENTRY_GAS) halt('out-of-gas');
  const { state } = machine;
  const slot = state.overlay.slot(frame.self, slotKeyOf(stack.pop()));
  const value = stack.pop();
  let gas = WARM_GAS;
  if (slot.value !== value && slot.original === slot.value) gas = slot.original === 0n ? SSTORE_SET_GAS : SSTORE_RESET_GAS;
  if (state.warmSlot(slot)) gas += COLD_SLOT_GAS;
  frame.useGas(gas);
  state.setSlot(slot, value);
}

/** TLOAD (EIP-1153). */
export function loadTransient(machine: Machine, frame: Frame): void {
  frame.stack.need(1);
  frame.useGas(WARM_GAS);
  frame.stack.push(machine.state.transient(frame.addressHex, slotKeyOf(frame.stack.pop())));
}

/** TSTORE (EIP-1153). */
export function storeTransient(machine: Machine, frame: Frame): void {
  frame.useGas(WARM_GAS);
  if (frame.start.isStatic) halt('write-protection');
  const { stack } = frame;
  stack.need(2);
  const key = slotKeyOf(stack.pop());
  machine.state.setTransient(frame.addressHex, key, stack.pop());
}

/** Touches an address; true when it was cold. Precompiles never are (EIP-2929). */
export function touchAddress(machine: Machine, addressHex: Hex): boolean {
  return machine.state.warmAddress(addressHex) && !machine.rules.precompiles.has(addressHex);
}

/** The gas of touching an address: dear the first time in an item. */
export function accountAccessGas(machine: Machine, addressHex: Hex): number {
  return touchAddress(machine, addressHex) ? COLD_ACCOUNT_GAS : WARM_GAS;
}

/** The account that code of `frame` sees at an address: of its own family, else nothing (eth_call reads the whole world). */
export function visibleAccount(machine: Machine, frame: Frame, addressHex: Hex): AccountEntry {
  const { state } = machine;
  const address = addressBytesOf(addressHex);
  const own = state.account(address, addressHex, frame.start.family);
  if (own.value !== undefined || !state.readsWorld) return own;
  return state.account(address, addressHex, worldFamilyOf(machine, addressHex));
}

/** eth_call only: the family that an address belongs to. */
export function worldFamilyOf(machine: Machine, addressHex: Hex): FamilyEntry {
  const { overlay } = machine.state;
  const address = addressBytesOf(addressHex);
  return overlay.family(overlay.pointer(address) ?? address);
}

/** BALANCE. */
export function balance(machine: Machine, frame: Frame): void {
  const addressHex = addressHexOf(frame.stack.pop());
  frame.useGas(accountAccessGas(machine, addressHex));
  frame.stack.push(visibleAccount(machine, frame, addressHex).value?.balanceWei ?? 0n);
}

/** SELFBALANCE. */
export function selfBalance(frame: Frame): void {
  frame.useGas(LOW_GAS);
  frame.stack.push(frame.self.value?.balanceWei ?? 0n);
}

/** EXTCODESIZE. */
export function codeSize(machine: Machine, frame: Frame): void {
  const addressHex = addressHexOf(frame.stack.pop());
  frame.useGas(accountAccessGas(machine, addressHex));
  frame.stack.push(BigInt(machine.state.overlay.code(visibleAccount(machine, frame, addressHex)).length));
}

/** EXTCODECOPY. */
export function codeCopy(machine: Machine, frame: Frame): void {
  frame.stack.need(4);
  const addressHex = addressHexOf(frame.stack.pop());
  frame.useGas(accountAccessGas(machine, addressHex));
  copyCode(frame, machine.state.overlay.code(visibleAccount(machine, frame, addressHex)));
}

const EMPTY_CODE_HASH_WORD = wordOf(EMPTY_CODE_HASH);

/** EXTCODEHASH: 0 where there is no account (EIP-1052). */
export function codeHash(machine: Machine, frame: Frame): void {
  const addressHex = addressHexOf(frame.stack.pop());
  frame.useGas(accountAccessGas(machine, addressHex));
  const { value } = visibleAccount(machine, frame, addressHex);
  if (value === undefined) frame.stack.push(0n);
  else frame.stack.push(value.codeHash === EMPTY_CODE_HASH ? EMPTY_CODE_HASH_WORD : wordOf(value.codeHash));
}

/** BLOCKHASH: of the 256 heights before the reference's. */
export function blockHash(machine: Machine, frame: Frame): void {
  const asked = frame.stack.pop();
  frame.useGas(BLOCKHASH_GAS);
  const number = machine.context.referenceHeight;
  const isSeen = asked < BigInt(number) && asked >= BigInt(Math.max(0, number - BLOCK_HASHES_SEEN));
  const hash = isSeen ? machine.context.blockHash(Number(asked)) : undefined;
  frame.stack.push(hash === undefined ? 0n : wordOf(hash));
}
