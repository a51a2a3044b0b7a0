// eth_getTransactionCount. At a finalised block: the lowest nonce whose transaction is not mined there. At `pending`: the true next nonce,
// what executes and waits included (protocol, section 7).
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
  async ({ ports }, address, block) => {
    const selected = await stateOf(block, ports);
    if (selected instanceof RpcError) return selected;
    const executed = accountAt(selected.state, address)?.nonce ?? 0n;
    if (block.kind !== 'pending') {
      // What is charged and not mined yet counts as little as what waits.
      const inFlight = ports.state.lowestNonceInFlight(address);
      return quantity(inFlight !== undefined && inFlight < executed ? inFlight : executed);
    }
    const waiting = ports.mempool.pendingNonce(address);
    return quantity(waiting > executed ? waiting : executed); // A contract's nonce the mempool does not know.
  },
);
