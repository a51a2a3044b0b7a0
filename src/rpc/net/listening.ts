// net_listening.
import { defineMethod } from '../method.ts';

/** See the file's head. */
export const netListening = defineMethod('net_listening', [], ({ ports }) => ports.node.isListening());
