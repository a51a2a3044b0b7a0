// eth_accounts: a node holds no users' keys.
import { defineMethod } from '../method.ts';

/** See the file's head. */
export const accounts = defineMethod('eth_accounts', [], () => []);
