// SHA-256, the hash of every commitment that Coppice defines: SSZ roots, the state tree, seeds, signing roots.
//
// Every form is WebAssembly at first; the runtime may put a native one under the hashing of pairs, which is where trees spend their
// time (µs a pair: WebAssembly 0.9, native 0.65, native in batches 0.04). Messages of any length have a faster form that has to be
// compiled asynchronously (µs for 41, 65 and 124 bytes: 0.6, 0.8 and 1.1, against 1.2, 1.3 and 1.7); until `initialiseSha256` has run,
// the other answers. All give the same bytes, so the choice is speed only; the tests compare them with @noble/hashes. Results own
// their memory: as-sha256 would hand out views into shared 64 KiB pools, which one kept hash would hold in memory and a message to
// a worker would copy whole.
import { digest, hashInto } from '@chainsafe/as-sha256';
import { createSHA256 } from 'hash-wasm';
import { concatBytes } from '../primitives/bytes.ts';
import { gatherShort } from './short-message.ts';

type Hasher = Awaited<ReturnType<typeof createSHA256>>;

/** Hashes every 64 bytes of the input to 32 bytes of the output, which is half as long. */
export interface PairHasher {
  readonly name: string;
  readonly hashPairs: (input: Uint8Array, output: Uint8Array) => void;
}

const HASH_BYTES = 32;

const WASM_PAIR_HASHER: PairHasher = { name: '@chainsafe/as-sha256', hashPairs: hashInto };

// Native code gets arrays outside V8's heap (primitives/outside-heap.ts says why), so neither is by itself.
const scratchPair = new Uint8Array(4 * HASH_BYTES).subarray(0, 2 * HASH_BYTES);
const scratchParent = new Uint8Array(4 * HASH_BYTES).subarray(0, HASH_BYTES);
let pairHasher = WASM_PAIR_HASHER;
let fastHasher: Hasher | undefined;

/** Compiles the fast form for messages of any length (some milliseconds, once) and uses it from then on. */
export async function initialiseSha256(): Promise<void> {
  fastHasher ??= await createSHA256();
}

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
  if (fastHasher === undefined) return sha256Portable(...parts);
  const hasher = fastHasher.init();
  const short = gatherShort(parts);
  if (short !== undefined) hasher.update(short);
  else for (const part of parts) hasher.update(part);
  return hasher.digest('binary');
}

/** The form that needs no initialisation by itself, which the fast one is tested against. */
export function sha256Portable(...parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return digest(parts.length === 1 && first !== undefined ? first : concatBytes(...parts)).slice();
}

/** SHA-256 of exactly 64 bytes, 32 and 32: the inner hash of every tree. Into `target`, which may be one of the two, or an array of its own. */
export function hash64(left: Uint8Array, right: Uint8Array, target: Uint8Array = new Uint8Array(HASH_BYTES)): Uint8Array {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES) throw new RangeError(`a pair of ${left.length} and ${right.length} bytes`);
  scratchPair.set(left);
  scratchPair.set(right, HASH_BYTES);
  pairHasher.hashPairs(scratchPair, scratchParent);
  target.set(scratchParent);
  return target;
}

/** SHA-256 of every 64 bytes of `input` into `output`, half as long: a whole level of a tree in one call. */
export function hashPairs(input: Uint8Array, output: Uint8Array): void {
  if (input.length % (2 * HASH_BYTES) !== 0 || input.length !== 2 * output.length) {
    throw new RangeError(`pairs of ${input.length} bytes into ${output.length}`);
  }
  pairHasher.hashPairs(input, output);
}
