// eth_chainId: EIP-155, EIP-695.
import { quantity } from '../json.ts';
import { defineMethod } from '../method.ts';

/** See the file's head. */
export const chainId = defineMethod('eth_chainId', [], ({ ports }) => quantity(ports.node.evmChainId));
