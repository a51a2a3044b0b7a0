// Where a leaf stands in the account tree (protocol, section 4): `keccak256(family)[0..8] ‖ SHA256(kind ‖ family ‖ address)[0..24]`.
// The first 64 bits are the family's, so no layout cuts a family apart; two accounts are of one family when their full family
// addresses are equal, never because these prefixes are.
import { keccak256 } from '../crypto/keccak.ts';
import { sha256 } from '../crypto/sha256.ts';
import { bytesToHex } from '../primitives/bytes.ts';
import type { Address, Bytes32, Hex } from '../primitives/ids.ts';
import type { Leaf } from './leaf.ts';

const ACCOUNT_KIND = 0;
const POINTER_KIND = 1;
const FAMILY_PREFIX_BYTES = 8;
/** Half-bytes that all leaves of a family share. */
export const FAMILY_PREFIX_NIBBLES = 2 * FAMILY_PREFIX_BYTES;
const ADDRESS_BYTES = 20;
const PREIMAGE_BYTES = 1 + 2 * ADDRESS_BYTES;

/**
 * Keys remembered. Two places for each hash of an address, and the newest win: bounded by construction, and whoever makes addresses
 * collide only makes a node compute a key again (2.3 µs, against 0.1 µs for a remembered one).
 */
const KEYS_REMEMBERED_MAX = 2 ** 16;

/** A key, and its name in Maps, which few keys need: a class because it is made when first asked for. */
export class StateKey {
  readonly bytes: Bytes32;
  /** The layer (version-layer.ts) that last looked for the key's leaf, by its number, and what it found: one block looks several times. */
  seenIn: number;
  seen: Leaf | undefined;
  isLone: boolean;
  #name: Hex | undefined;

  constructor(bytes: Bytes32) {
    this.bytes = bytes;
    this.seenIn = 0;
    this.seen = undefined;
    this.isLone = false;
    this.#name = undefined;
  }

  get name(): Hex {
    this.#name ??= bytesToHex(this.bytes);
    return this.#name;
  }
}

// What each remembered key is of lies in one array, where it costs no objects: kind, family, address.
const preimages = new Uint8Array(KEYS_REMEMBERED_MAX * PREIMAGE_BYTES);
const remembered: (StateKey | undefined)[] = new Array(KEYS_REMEMBERED_MAX).fill(undefined);

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

// Two neighbouring places for each hash; the one that was not used last is given up.
function rememberKey(kind: number, family: Address, address: Address): StateKey {
  const hash = kind ^ (address[19] as number) ^ ((address[18] as number) << 8) ^ ((address[17] as number) << 13);
  const place = (hash << 1) & (KEYS_REMEMBERED_MAX - 1);
  const front = remembered[place];
  if (front !== undefined && isOf(place, kind, family, address)) return front;
  const back = remembered[place + 1];
  const isBack = back !== undefined && isOf(place + 1, kind, family, address);
  preimages.copyWithin((place + 1) * PREIMAGE_BYTES, place * PREIMAGE_BYTES, (place + 1) * PREIMAGE_BYTES);
  remembered[place + 1] = front;
  const key = isBack ? back : new StateKey(computeKey(kind, family, address));
  writePreimage(preimages, place * PREIMAGE_BYTES, kind, family, address);
  remembered[place] = key;
  return key;
}

function isOf(place: number, kind: number, family: Address, address: Address): boolean {
  const at = place * PREIMAGE_BYTES;
  if (preimages[at] !== kind) return false;
  for (let i = 0; i < ADDRESS_BYTES; i++) {
    if (preimages[at + 1 + ADDRESS_BYTES + i] !== address[i] || preimages[at + 1 + i] !== family[i]) return false;
  }
  return true;
}

function writePreimage(target: Uint8Array, at: number, kind: number, family: Address, address: Address): void {
  target[at] = kind;
  target.set(family, at + 1);
  target.set(address, at + 1 + ADDRESS_BYTES);
}

const preimage = new Uint8Array(PREIMAGE_BYTES);

function computeKey(kind: number, family: Address, address: Address): Bytes32 {
  writePreimage(preimage, 0, kind, family, address);
  const prefix = keccak256(family);
  const rest = sha256(preimage);
  const key = new Uint8Array(32);
  for (let i = 0; i < FAMILY_PREFIX_BYTES; i++) key[i] = prefix[i] as number;
  for (let i = FAMILY_PREFIX_BYTES; i < 32; i++) key[i] = rest[i - FAMILY_PREFIX_BYTES] as number;
  return key;
}
