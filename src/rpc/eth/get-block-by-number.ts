// eth_getBlockByNumber.
import { finalBlockOf, readBlockNumberOrTag } from '../block-selector.ts';
import { formatBlock } from '../format-block.ts';
import { defineMethod } from '../method.ts';
import { optional, readBoolean, required } from '../parameter.ts';

/** See the file's head. */
export const getBlockByNumber = defineMethod(
  'eth_getBlockByNumber',
  [required('block', readBlockNumberOrTag), optional('hydrated', readBoolean, false)],
  async ({ ports, pendingBlock }, selector, isHydrated) => {
    const block = selector.kind === 'pending' ? pendingBlock() : await finalBlockOf(selector, ports);
    return block === undefined ? null : formatBlock(block, isHydrated);
  },
);
