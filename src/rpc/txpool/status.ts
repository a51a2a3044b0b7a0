// txpool_status: how many transactions can run now, and how many wait for an earlier nonce.
import { quantity } from '../json.ts';
import { defineMethod } from '../method.ts';

/** See the file's head. */
export const txpoolStatus = defineMethod('txpool_status', [], ({ ports }) => {
  const { pending, queued } = ports.mempool.status();
  return { pending: quantity(pending), queued: quantity(queued) };
});
