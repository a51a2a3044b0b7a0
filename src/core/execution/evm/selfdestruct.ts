// SELFDESTRUCT (EIP-6780): sends the balance, and deletes the contract at the end of the item if the same item created it. To a foreign
// account the balance goes as a message that only credits (protocol, section 5).
import { HOPS_MAX, SELFDESTRUCT_FOREIGN_GAS } from '../../protocol/gas.ts';
import type { Frame } from './frame.ts';
import { COLD_ACCOUNT_GAS, SELFDESTRUCT_GAS } from './gas-costs.ts';
import { halt } from './halt.ts';
import type { Machine, Signal } from './machine.ts';
import { touchAddress } from './state-opcodes.ts';
import { addressBytesOf, addressHexOf } from './words.ts';

/** Ends the frame. */
export function selfDestruct(machine: Machine, frame: Frame): Signal {
  if (frame.start.isStatic) halt('write-protection');
  const { state } = machine;
  const { self } = frame;
  const toHex = addressHexOf(frame.stack.pop());
  // Paid before it is read: a frame with too little gas must not cost a read from disk.
  frame.useGas(SELFDESTRUCT_GAS + (touchAddress(machine, toHex) ? COLD_ACCOUNT_GAS : 0));
  const to = state.account(addressBytesOf(toHex), toHex);
  const balanceWei = self.value?.balanceWei ?? 0n;
  // Ethereum charges a new account here; a foreign one costs the same, for its message.
  if (balanceWei > 0n && to.value === undefined) frame.useGas(SELFDESTRUCT_FOREIGN_GAS);
  const isOwn = to.value !== undefined || toHex === state.family.familyHex;
  if (balanceWei > 0n && !isOwn && machine.message.hop >= HOPS_MAX) return 'revert';
  const isCreatedHere = state.created.has(frame.addressHex);
  if (toHex !== frame.addressHex) {
    state.addBalance(self, -balanceWei);
    if (isOwn) state.addBalance(to, balanceWei);
    else if (balanceWei > 0n) state.emit({ kind: 'credit', from: self.address, to: to.address, valueWei: balanceWei });
  } else if (isCreatedHere) {
    state.burn(self);
  }
  if (isCreatedHere) state.markDestroyed(frame.addressHex);
  return 'done';
}
