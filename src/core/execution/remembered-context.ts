// The context of a block with each block hash looked up once: BLOCKHASH costs 20 gas, and a look-up may read a block from disk, so that
// a block full of them would cost half a million reads. The opcode asks for no height but the last 256 (BLOCK_HASHES_SEEN).
import type { Bytes32, Height } from '../primitives/ids.ts';
import type { ExecutionContext } from '../protocol/message.ts';

/** Heights before the reference's whose hashes code can ask for. */
export const BLOCK_HASHES_SEEN = 256;

/** The same context, for one block. */
export function rememberBlockHashes(context: ExecutionContext): ExecutionContext {
  const hashes = new Map<Height, Bytes32 | undefined>();
  return {
    ...context,
    blockHash(height) {
      if (!hashes.has(height)) hashes.set(height, context.blockHash(height));
      return hashes.get(height);
    },
  };
}
