// Addresses that the protocol itself gives a meaning (parameters, "system addresses").
import { bytesToHex, hex } from '../primitives/bytes.ts';
import type { Address } from '../primitives/ids.ts';

/** COINBASE, the same in every block: who proposed is nothing that code could depend on. */
export const COINBASE_ADDRESS: Address = hex('0000000000000000000000000000000000c00000');
/** The messenger: code sends explicit messages by a CALL to it, and replies and bounce hooks come from it. It has no account and no code. */
export const MESSENGER_ADDRESS: Address = hex('0000000000000000000000000000000000c00001');
/** As a key. */
export const COINBASE_HEX = bytesToHex(COINBASE_ADDRESS);
/** As a key. */
export const MESSENGER_HEX = bytesToHex(MESSENGER_ADDRESS);
