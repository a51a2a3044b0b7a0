// eth_gasPrice: what a transaction that names one price should name: the next base fee and a tip.
import { quantity } from '../json.ts';
import { defineMethod } from '../method.ts';
import { suggestTipWei } from '../tip-suggestion.ts';

/** See the file's head. */
export const gasPrice = defineMethod('eth_gasPrice', [], async ({ ports }) =>
  quantity(ports.node.nextBaseFeePerGasWei() + (await suggestTipWei(ports))),
);
