// SHA-256, the hash of every commitment that Coppice defines: SSZ roots, the state tree, seeds, signing roots. The implementation
// is WebAssembly and so portable; the tests compare it with @noble/hashes. Results own their memory: the library would hand
// out views into shared 64 KiB pools, which one kept hash would hold in memory and a message to a worker would copy whole.
import { digest, digest2Bytes32Into } from '@chainsafe/as-sha256';
import { concatBytes } from '../primitives/bytes.ts';

/** SHA-256 of the parts, one after the other. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return digest(parts.length === 1 && first !== undefined ? first : concatBytes(...parts)).slice();
}

/** SHA-256 of exactly 64 bytes, 32 and 32: the inner hash of every tree here, and its hot path (0.3 µs). Throws on other lengths. */
export function hash64(left: Uint8Array, right: Uint8Array): Uint8Array {
  const parent = new Uint8Array(32);
  digest2Bytes32Into(left, right, parent);
  return parent;
}
