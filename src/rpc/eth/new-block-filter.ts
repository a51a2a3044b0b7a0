// eth_newBlockFilter: hashes of blocks to come, to be polled.
import { defineMethod } from '../method.ts';

/** See the file's head. */
export const newBlockFilter = defineMethod('eth_newBlockFilter', [], ({ filters }) => filters.addBlockFilter());
