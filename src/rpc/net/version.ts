// net_version: the chain id in decimal, as Ethereum's networks have it.
import { defineMethod } from '../method.ts';

/** See the file's head. */
export const netVersion = defineMethod('net_version', [], ({ ports }) => String(ports.node.evmChainId));
