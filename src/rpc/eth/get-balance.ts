// eth_getBalance.
import { accountAt } from '../account-lookup.ts';
import { LATEST, readBlockSelector, stateOf } from '../block-selector.ts';
import { RpcError } from '../errors.ts';
import { quantity } from '../json.ts';
import { defineMethod } from '../method.ts';
import { optional, readAddress, required } from '../parameter.ts';

/** See the file's head. */
export const getBalance = defineMethod(
  'eth_getBalance',
  [required('address', readAddress), optional('block', readBlockSelector, LATEST)],
  async ({ ports }, address, block) => {
    const selected = await stateOf(block, ports);
    return selected instanceof RpcError ? selected : quantity(accountAt(selected.state, address)?.balanceWei ?? 0n);
  },
);
