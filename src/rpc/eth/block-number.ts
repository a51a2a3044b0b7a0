// eth_blockNumber: the newest finalised block.
import { quantity } from '../json.ts';
import { defineMethod } from '../method.ts';

/** See the file's head. */
export const blockNumber = defineMethod('eth_blockNumber', [], ({ ports }) => quantity(ports.view.headNumber()));
