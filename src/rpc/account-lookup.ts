// Reading an account as Ethereum clients mean it: by its address alone. Where it lies depends on its family (protocol, section 4): the
// pointer at the address names it; an address without pointer is its own family.
import type { Address } from '../core/primitives/ids.ts';
import type { Account } from '../core/state/account.ts';
import type { StateReader } from '../core/state/state-reader.ts';

/** The family in which the account of an address lies. */
export function familyOf(state: StateReader, address: Address): Address {
  return state.getPointer(address) ?? address;
}

/** The account of an address; undefined when there is none. */
export function accountAt(state: StateReader, address: Address): Account | undefined {
  return state.getAccount(familyOf(state, address), address);
}
