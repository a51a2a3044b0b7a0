// eth_getBlockByHash.
import { formatBlock } from '../format-block.ts';
import { defineMethod } from '../method.ts';
import { optional, readBoolean, readHashHex, required } from '../parameter.ts';

/** See the file's head. */
export const getBlockByHash = defineMethod(
  'eth_getBlockByHash',
  [required('hash', readHashHex), optional('hydrated', readBoolean, false)],
  async ({ ports }, hash, isHydrated) => {
    const block = await ports.view.blockByHash(hash);
    return block === undefined ? null : formatBlock(block, isHydrated);
  },
);
