// Finding a final transaction by its hash: where it stands, then the block.
import type { Hex } from '../core/primitives/ids.ts';
import type { RpcPorts } from './ports.ts';
import type { FoundTransaction } from './receipt-waiter.ts';

/** Undefined while the transaction is not final, and for a hash that nobody knows. */
export async function findTransaction(ports: RpcPorts, hash: Hex): Promise<FoundTransaction | undefined> {
  const location = await ports.view.transactionLocation(hash);
  if (location === undefined) return undefined;
  const block = await ports.view.blockByNumber(location.blockNumber);
  return block === undefined ? undefined : { block, index: location.index };
}
