// Stack words as addresses, keys and small integers, and back. Keys are hexadecimal strings: V8 hashes a bigint by its lowest 64 bits
// only, so that bigint keys chosen by an attacker would all collide in a Map.
import { bytesToBigint } from '../../primitives/bytes.ts';
import type { Address, Hex } from '../../primitives/ids.ts';
import { halt } from './halt.ts';

const UINT64_MAX = (1n << 64n) - 1n;
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

// Words are read and written here and copied: V8 would move a small array out of its heap before a DataView of it could be made.
const scratch = new Uint8Array(new ArrayBuffer(32));
const scratchView = new DataView(scratch.buffer);

/** The word that up to 32 big-endian bytes spell. */
export function wordOf(bytes: Uint8Array): bigint {
  const { length } = bytes;
  if (length === 20) {
    scratch.set(bytes);
    return (scratchView.getBigUint64(0) << 96n) | (scratchView.getBigUint64(8) << 32n) | BigInt(scratchView.getUint32(16));
  }
  if (length !== 32) return bytesToBigint(bytes);
  scratch.set(bytes);
  const high = (scratchView.getBigUint64(0) << 64n) | scratchView.getBigUint64(8);
  const low = (scratchView.getBigUint64(16) << 64n) | scratchView.getBigUint64(24);
  return high === 0n ? low : (high << 128n) | low;
}

/** A storage key, 64 digits. */
export function slotKeyOf(word: bigint): Hex {
  return word.toString(16).padStart(64, '0');
}

/** 32 bytes. */
export function bytes32Of(word: bigint): Uint8Array {
  if (word <= UINT64_MAX) {
    scratch.fill(0, 0, 24);
  } else {
    scratchView.setBigUint64(0, word >> 192n); // setBigUint64 takes its value modulo 2^64.
    scratchView.setBigUint64(8, word >> 128n);
    scratchView.setBigUint64(16, word >> 64n);
  }
  scratchView.setBigUint64(24, word);
  return scratch.slice();
}

/** A length or memory offset; halts where gas could not pay for it. */
export function toOffset(word: bigint): number {
  if (word > OFFSET_MAX) halt(word > UINT64_MAX ? 'gas-overflow' : 'out-of-gas');
  return Number(word);
}

/** An offset into data that reads as zeros beyond its end. */
export function toDataOffset(word: bigint): number {
  return word > OFFSET_MAX ? Number(OFFSET_MAX) : Number(word);
}
