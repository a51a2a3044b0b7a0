// The order in which all seats are dealt out to committees: a swap-or-not shuffle, 90 rounds, with SHA-256. The permutation is the one of
// `compute_shuffled_index` in Ethereum's consensus-specs (phase0/beacon-chain.md, SHUFFLE_ROUND_COUNT = 90), little-endian integers included,
// so that its implementations can be compared with ours.
//
// The rule upheld: one seed, one order, on every machine; and who knows the seed can tell the place of one seat without the whole list.
import { sha256 } from '../crypto/sha256.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32 } from '../primitives/ids.ts';

const ROUNDS = 90;
const SEED_BYTES = 32;
/** Places whose swaps one hash decides: one for each of its bits. */
const PLACES_PER_HASH = 256;
/** Above it the number of a hash, a uint32 in what is hashed, would not be exact; far above all seats of a network. */
const SHUFFLED_MAX = 2 ** 32;

/**
 * The numbers from 0 to `count` − 1 in shuffled order: at place i stands `compute_shuffled_index(i, count, seed)`. The whole list at once costs
 * a hash for each 256 places and round, where place by place would cost two for each place and round.
 */
export function shuffledOrder(count: number, seed: Bytes32): Uint32Array {
  invariant(Number.isSafeInteger(count) && count >= 0 && count <= SHUFFLED_MAX, `${count} things can be shuffled`);
  invariant(seed.length === SEED_BYTES, 'a seed has 32 bytes');
  const order = new Uint32Array(count);
  for (let place = 0; place < count; place++) order[place] = place;
  if (count < 2) return order;
  // A place goes through the rounds from the first to the last; the list that says where it ends is made from the last to the first.
  for (let round = ROUNDS - 1; round >= 0; round--) swapRound(order, pivotOf(round, count, seed), swapBits(round, count, seed));
  return order;
}

/** One round: each pair of places whose sum is the pivot (modulo the length) is swapped, if the bit of the higher place says so. */
function swapRound(order: Uint32Array, pivot: number, bits: Uint8Array): void {
  swapMirrored(order, 0, pivot, bits);
  swapMirrored(order, pivot + 1, order.length - 1, bits);
}

/** The pairs between two places, from outside in. A place in the middle is its own partner. */
function swapMirrored(order: Uint32Array, first: number, last: number, bits: Uint8Array): void {
  for (let low = first, high = last; low < high; low++, high--) {
    if ((((bits[high >> 3] as number) >> (high & 7)) & 1) === 0) continue;
    const moved = order[low] as number;
    order[low] = order[high] as number;
    order[high] = moved;
  }
}

/** The first eight bytes of SHA-256(seed ‖ round), modulo the length. */
function pivotOf(round: number, count: number, seed: Bytes32): number {
  return Number(littleEndian64(sha256(seed, Uint8Array.of(round))) % BigInt(count));
}

/** A bit for each place: SHA-256(seed ‖ round ‖ uint32 of place / 256), one after the other. */
function swapBits(round: number, count: number, seed: Bytes32): Uint8Array {
  const hashes = Math.ceil(count / PLACES_PER_HASH);
  const bits = new Uint8Array((hashes * PLACES_PER_HASH) / 8);
  const source = new Uint8Array(SEED_BYTES + 5);
  source.set(seed);
  source[SEED_BYTES] = round;
  for (let number = 0; number < hashes; number++) {
    for (let byte = 0; byte < 4; byte++) source[SEED_BYTES + 1 + byte] = number >>> (8 * byte);
    bits.set(sha256(source), (number * PLACES_PER_HASH) / 8);
  }
  return bits;
}

function littleEndian64(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let at = 7; at >= 0; at--) value = (value << 8n) | BigInt(bytes[at] as number);
  return value;
}
