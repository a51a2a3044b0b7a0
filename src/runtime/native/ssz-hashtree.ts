// Native SHA-256 for trees: under the SSZ library (which by default hashes in JavaScript: the root of 1,000 byte lists takes 26 ms,
// with hashtree 4.5) and under the pairs that core hashes. The portable form of both is WebAssembly. It changes speed only. What core
// hashes alone is made ready here too: the tree needs all of it.
import { createRequire } from 'node:module';
import { type Hasher, setHasher } from '@chainsafe/persistent-merkle-tree';
import { hasher as wasmHasher } from '@chainsafe/persistent-merkle-tree/hasher/as-sha256';
import { initialiseSha256, sha256, usePairHasher } from '../../core/crypto/sha256.ts';
import { bytesEqual } from '../../core/primitives/bytes.ts';
import { merkleizingInPlace } from './ssz-merkleizer.ts';

type Hashtree = typeof import('@chainsafe/hashtree');

/** Makes trees hash natively; where hashtree has no build, or when told to be portable, with WebAssembly. Returns which it is. */
export async function installHashtree(options: { readonly disableNative: boolean } = { disableNative: false }): Promise<string> {
  await initialiseSha256();
  const native = options.disableNative ? undefined : await loadHashtree();
  setHasher(merkleizingInPlace(native?.sszHasher ?? wasmHasher));
  if (native === undefined) usePairHasher();
  else usePairHasher({ name: '@chainsafe/hashtree', hashPairs: native.library.hashInto });
  return native === undefined ? '@chainsafe/as-sha256' : '@chainsafe/hashtree';
}

async function loadHashtree(): Promise<{ readonly library: Hashtree; readonly sszHasher: Hasher } | undefined> {
  try {
    const library = createRequire(import.meta.url)('@chainsafe/hashtree') as Hashtree;
    const { hasher } = await import('@chainsafe/persistent-merkle-tree/hasher/hashtree');
    return hashesRightly(library) ? { library, sszHasher: hasher } : undefined;
  } catch {
    return undefined;
  }
}

// A build that loads may still pick instructions that this processor lacks or emulates wrongly; a wrong root would stop the node.
function hashesRightly(library: Hashtree): boolean {
  const pair = Uint8Array.from({ length: 64 }, (_unused, index) => index);
  const parent = new Uint8Array(32);
  library.hashInto(pair, parent);
  return bytesEqual(parent, sha256(pair));
}
