// SHA-256, the hash of every commitment that Coppice defines: SSZ roots, the state tree, seeds, signing roots.
//
// The portable form is WebAssembly; the runtime may put a native one under the hashing of pairs, which is where trees spend their
// time (µs a pair: WebAssembly 0.9, native 0.65, native in batches 0.04). All give the same bytes, so the choice is speed only; the
// tests compare them with @noble/hashes. Results own their memory: the library would hand out views into shared 64 KiB pools,
// which one kept hash would hold in memory and a message to a worker would copy whole.
import { digest, hashInto } from '@chainsafe/as-sha256';
import { concatBytes } from '../primitives/bytes.ts';

/** Hashes every 64 bytes of the input to 32 bytes of the output, which is half as long. */
export interface PairHasher {
  readonly name: string;
  readonly hashPairs: (input: Uint8Array, output: Uint8Array) => void;
}

const HASH_BYTES = 32;
const SHORT_MESSAGE_BYTES = 256;

const WASM_PAIR_HASHER: PairHasher = { name: '@chainsafe/as-sha256', hashPairs: hashInto };

const scratch = new Uint8Array(SHORT_MESSAGE_BYTES);
const scratchPair = new Uint8Array(2 * HASH_BYTES);
let pairHasher = WASM_PAIR_HASHER;

/** Puts another implementation under `hash64` and `hashPairs`; without an argument the portable one. */
export function usePairHasher(hasher: PairHasher = WASM_PAIR_HASHER): void {
  pairHasher = hasher;
}

/** Which implementation hashes pairs now: for the line that a node logs at its start. */
export function pairHasherName(): string {
  return pairHasher.name;
}

/** SHA-256 of the parts, one after the other. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  if (length > SHORT_MESSAGE_BYTES) return digest(parts.length === 1 ? (parts[0] as Uint8Array) : concatBytes(...parts)).slice();
  let offset = 0;
  for (const part of parts) {
    scratch.set(part, offset);
    offset += part.length;
  }
  return digest(scratch.subarray(0, length)).slice();
}

/** SHA-256 of exactly 64 bytes, 32 and 32: the inner hash of every tree. */
export function hash64(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES) throw new RangeError(`a pair of ${left.length} and ${right.length} bytes`);
  scratchPair.set(left);
  scratchPair.set(right, HASH_BYTES);
  const parent = new Uint8Array(HASH_BYTES);
  pairHasher.hashPairs(scratchPair, parent);
  return parent;
}

/** SHA-256 of every 64 bytes of `input` into `output`, half as long: a whole level of a tree in one call. */
export function hashPairs(input: Uint8Array, output: Uint8Array): void {
  if (input.length % (2 * HASH_BYTES) !== 0 || input.length !== 2 * output.length) {
    throw new RangeError(`pairs of ${input.length} bytes into ${output.length}`);
  }
  pairHasher.hashPairs(input, output);
}
