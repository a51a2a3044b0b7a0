// Stack words as addresses, keys and small integers, and back. Keys are hexadecimal strings: V8 hashes a bigint by its lowest 64 bits
// only, so that bigint keys chosen by an attacker would all collide in a Map.
import { bytesToBigint } from '../../primitives/bytes.ts';
import type { Address, Hex } from '../../primitives/ids.ts';
import { halt } from './halt.ts';

const ADDRESS_MASK = (1n << 160n) - 1n;
/** Beyond it memory costs more gas than any limit: reached only when gas is short. */
const OFFSET_MAX = 0xffff_ffffn;

/** The address in the low 160 bits, as a key. */
export function addressHexOf(word: bigint): Hex {
  return (word & ADDRESS_MASK).toString(16).padStart(40, '0');
}

/** The bytes of an address key. */
export function addressBytesOf(addressHex: Hex): Address {
  const bytes = new Uint8Array(20);
  for (let i = 0; i < 20; i++) bytes[i] = Number.parseInt(addressHex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** The word that up to 32 big-endian bytes spell. */
export function wordOf(bytes: Uint8Array): bigint {
  if (bytes.length !== 32) return bytesToBigint(bytes);
  // Half of all words come from hashes and storage: four reads take a tenth of the time of parsing digits.
  const view = new DataView(bytes.buffer, bytes.byteOffset, 32);
  const high = (view.getBigUint64(0) << 64n) | view.getBigUint64(8);
  const low = (view.getBigUint64(16) << 64n) | view.getBigUint64(24);
  return high === 0n ? low : (high << 128n) | low;
}

/** A storage key, 64 digits. */
export function slotKeyOf(word: bigint): Hex {
  return word.toString(16).padStart(64, '0');
}

/** 32 bytes. */
export function bytes32Of(word: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, word >> 192n);
  view.setBigUint64(8, word >> 128n);
  view.setBigUint64(16, word >> 64n);
  view.setBigUint64(24, word);
  return bytes;
}

/** A length or memory offset; halts where gas could not pay for it. */
export function toOffset(word: bigint): number {
  if (word > OFFSET_MAX) halt();
  return Number(word);
}

/** An offset into data that reads as zeros beyond its end. */
export function toDataOffset(word: bigint): number {
  return word > OFFSET_MAX ? Number(OFFSET_MAX) : Number(word);
}
