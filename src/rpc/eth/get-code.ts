// eth_getCode.
import { accountAt } from '../account-lookup.ts';
import { LATEST, readBlockSelector, stateOf } from '../block-selector.ts';
import { RpcError } from '../errors.ts';
import { data } from '../json.ts';
import { defineMethod } from '../method.ts';
import { optional, readAddress, required } from '../parameter.ts';

/** See the file's head. */
export const getCode = defineMethod(
  'eth_getCode',
  [required('address', readAddress), optional('block', readBlockSelector, LATEST)],
  async ({ ports }, address, block) => {
    const selected = await stateOf(block, ports);
    if (selected instanceof RpcError) return selected;
    const account = accountAt(selected.state, address);
    return data((account && selected.state.getCode(account.codeHash)) ?? new Uint8Array(0));
  },
);
