// web3_clientVersion.
import { defineMethod } from '../method.ts';

/** See the file's head. */
export const clientVersion = defineMethod('web3_clientVersion', [], ({ ports }) => ports.node.clientVersion);
