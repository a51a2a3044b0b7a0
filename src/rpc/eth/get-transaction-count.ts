// eth_getTransactionCount. At a final block: the lowest nonce whose transaction was not mined then, whatever has been since. At `pending`: the true
// next nonce, what executes and waits included (protocol, section 7).
import { accountAt } from '../account-lookup.ts';
import { LATEST, readBlockSelector, stateOf } from '../block-selector.ts';
import { RpcError } from '../errors.ts';
import { quantity } from '../json.ts';
import { defineMethod } from '../method.ts';
import { optional, readAddress, required } from '../parameter.ts';

/** See the file's head. */
export const getTransactionCount = defineMethod(
  'eth_getTransactionCount',
  [required('address', readAddress), optional('block', readBlockSelector, LATEST)],
  async ({ ports }, address, selector) => {
    const selected = await stateOf(selector, ports);
    if (selected instanceof RpcError) return selected;
    const { state, block } = selected;
    const executed = accountAt(state, address)?.nonce ?? 0n;
    if (block !== 'pending') {
      // What is charged and not mined counts as little as what waits.
      const unmined = await ports.state.lowestUnminedNonce(address, block);
      return quantity(unmined !== undefined && unmined < executed ? unmined : executed);
    }
    const waiting = ports.mempool.pendingNonce(address);
    return quantity(waiting > executed ? waiting : executed); // A contract's nonce the mempool does not know.
  },
);
