// eth_maxPriorityFeePerGas: the tip that recent transactions paid.
import { quantity } from '../json.ts';
import { defineMethod } from '../method.ts';
import { suggestTipWei } from '../tip-suggestion.ts';

/** See the file's head. */
export const maxPriorityFeePerGas = defineMethod('eth_maxPriorityFeePerGas', [], async ({ ports }) => quantity(await suggestTipWei(ports)));
