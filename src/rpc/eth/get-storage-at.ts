// eth_getStorageAt: a slot's 32 bytes, zeros where there is nothing.
import { ZERO_32 } from '../../core/primitives/bytes.ts';
import { familyOf } from '../account-lookup.ts';
import { LATEST, readBlockSelector, stateOf } from '../block-selector.ts';
import { RpcError } from '../errors.ts';
import { data } from '../json.ts';
import { defineMethod } from '../method.ts';
import { optional, readAddress, readSlot, required } from '../parameter.ts';

/** See the file's head. */
export const getStorageAt = defineMethod(
  'eth_getStorageAt',
  [required('address', readAddress), required('slot', readSlot), optional('block', readBlockSelector, LATEST)],
  async ({ ports }, address, slot, block) => {
    const selected = await stateOf(block, ports);
    if (selected instanceof RpcError) return selected;
    return data(selected.state.getStorage(familyOf(selected.state, address), address, slot) ?? ZERO_32);
  },
);
