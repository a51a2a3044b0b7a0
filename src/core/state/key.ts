// Where a leaf stands in the account tree (protocol, section 4): `keccak256(family)[0..8] ‖ SHA256(kind ‖ family ‖ address)[0..24]`.
// The first 64 bits are the family's, so no layout cuts a family apart; two accounts are of one family when their full family
// addresses are equal, never because these prefixes are.
import { keccak256 } from '../crypto/keccak.ts';
import { sha256 } from '../crypto/sha256.ts';
import { bytesEqual, bytesToHex } from '../primitives/bytes.ts';
import type { Address, Bytes32, Hex } from '../primitives/ids.ts';

const ACCOUNT_KIND = 0;
const POINTER_KIND = 1;
const FAMILY_PREFIX_BYTES = 8;

/**
 * Keys remembered. Two places for each hash of an address, and the newest win: bounded by construction, and whoever makes addresses
 * collide only makes a node compute a key again (2.3 µs, against 0.1 µs for a remembered one).
 */
const KEYS_REMEMBERED_MAX = 2 ** 15;

/** A key, and its name in Maps. */
export interface StateKey {
  readonly bytes: Bytes32;
  readonly name: Hex;
}

interface RememberedKey extends StateKey {
  readonly kind: number;
  readonly family: Address;
  readonly address: Address;
}

const remembered: (RememberedKey | undefined)[] = new Array(KEYS_REMEMBERED_MAX).fill(undefined);

/** The key of an account's leaf. */
export function accountKey(family: Address, address: Address): StateKey {
  return rememberKey(ACCOUNT_KIND, family, address);
}

/** The key of the pointer leaf at an address's natural place, where it would be if it were its own family. */
export function pointerKey(address: Address): StateKey {
  return rememberKey(POINTER_KIND, address, address);
}

/** The key of a storage slot in its account's storage tree; `slot` is the EVM's. */
export function slotKey(slot: Bytes32): Bytes32 {
  return keccak256(slot);
}

// Two neighbouring places for each hash, the one used last in front.
function rememberKey(kind: number, family: Address, address: Address): StateKey {
  const hash = kind ^ (address[19] as number) ^ ((address[18] as number) << 8) ^ ((address[17] as number) << 13);
  const place = (hash << 1) & (KEYS_REMEMBERED_MAX - 1);
  const front = remembered[place];
  if (front !== undefined && isKeyOf(front, kind, family, address)) return front;
  const back = remembered[place + 1];
  remembered[place + 1] = front;
  const key = back !== undefined && isKeyOf(back, kind, family, address) ? back : makeKey(kind, family, address);
  remembered[place] = key;
  return key;
}

function isKeyOf(key: RememberedKey, kind: number, family: Address, address: Address): boolean {
  if (key.kind !== kind || !bytesEqual(key.address, address)) return false;
  // Most accounts are their own family, and most callers say so with one array.
  return (family === address && key.family === key.address) || bytesEqual(key.family, family);
}

// Callers may write into their addresses afterwards.
function makeKey(kind: number, family: Address, address: Address): RememberedKey {
  const bytes = computeKey(kind, family, address);
  const ownAddress = address.slice();
  const ownFamily = bytesEqual(family, address) ? ownAddress : family.slice();
  return { kind, family: ownFamily, address: ownAddress, bytes, name: bytesToHex(bytes) };
}

function computeKey(kind: number, family: Address, address: Address): Bytes32 {
  const key = new Uint8Array(32);
  key.set(keccak256(family).subarray(0, FAMILY_PREFIX_BYTES));
  key.set(sha256(Uint8Array.of(kind), family, address).subarray(0, 32 - FAMILY_PREFIX_BYTES), FAMILY_PREFIX_BYTES);
  return key;
}
