// Addresses that the protocol itself gives a meaning (parameters, "system addresses").
import { bytesToHex, hex } from '../primitives/bytes.ts';
import type { Address } from '../primitives/ids.ts';

/** COINBASE, the same in every block: who proposed is nothing that code could depend on. */
export const COINBASE_ADDRESS: Address = hex('0000000000000000000000000000000000c00000');
/** The messenger. It is not built yet, so every call to it fails with the typed error, whoever calls. */
export const MESSENGER_ADDRESS: Address = hex('0000000000000000000000000000000000c00001');
/** As a key. */
export const COINBASE_HEX = bytesToHex(COINBASE_ADDRESS);
/** As a key. */
export const MESSENGER_HEX = bytesToHex(MESSENGER_ADDRESS);
