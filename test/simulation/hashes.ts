// What tests that run worlds hash with: as a validator does. The SSZ library's own way would take a quarter of their time, and the portable
// Keccak is slow as well.
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { installHashtree } from '../../src/runtime/native/ssz-hashtree.ts';

/** Makes hashes ready in this process. */
export async function prepareHashes(): Promise<void> {
  await installHashtree();
  await initialiseKeccak();
}
