// Keccak-256, only where Ethereum's formats fix it: addresses, transaction and code hashes, storage keys, view block hashes.
//
// The fast form is WebAssembly and has to be compiled asynchronously first; until `initialiseKeccak` has run, the portable form
// answers. Both give the same bytes, so the order matters for speed only and no result depends on it.
import { keccak_256 } from '@noble/hashes/sha3.js';
import { createKeccak } from 'hash-wasm';
import { concatBytes } from '../primitives/bytes.ts';
import { gatherShort } from './short-message.ts';

type Hasher = Awaited<ReturnType<typeof createKeccak>>;

let fastHasher: Hasher | undefined;

/** Compiles the fast form (some milliseconds, once) and uses it from then on. */
export async function initialiseKeccak(): Promise<void> {
  fastHasher ??= await createKeccak(256);
}

/** Which form answers now: for the line that a node logs at its start. */
export function implementationName(): 'hash-wasm' | 'noble' {
  return fastHasher === undefined ? 'noble' : 'hash-wasm';
}

/** Keccak-256 of the parts, one after the other. */
export function keccak256(...parts: readonly Uint8Array[]): Uint8Array {
  if (fastHasher === undefined) return keccak256Portable(...parts);
  const hasher = fastHasher.init();
  const short = gatherShort(parts);
  if (short !== undefined) hasher.update(short);
  else for (const part of parts) hasher.update(part);
  return hasher.digest('binary');
}

/** The portable form by itself, which the fast one is tested against. */
export function keccak256Portable(...parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return keccak_256(parts.length === 1 && first !== undefined ? first : concatBytes(...parts));
}
