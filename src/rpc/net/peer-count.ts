// net_peerCount.
import { quantity } from '../json.ts';
import { defineMethod } from '../method.ts';

/** See the file's head. */
export const netPeerCount = defineMethod('net_peerCount', [], ({ ports }) => quantity(ports.node.peerCount()));
