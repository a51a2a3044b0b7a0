// eth_coinbase: what COINBASE gives in every block.
import { COINBASE_ADDRESS } from '../../core/execution/system-addresses.ts';
import { data } from '../json.ts';
import { defineMethod } from '../method.ts';

/** See the file's head. */
export const coinbase = defineMethod('eth_coinbase', [], () => data(COINBASE_ADDRESS));
