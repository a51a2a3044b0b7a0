// What a mempool may hold is for the whole node, whatever the number of its shards: each has its part.
import type { NetworkParameters } from '../core/protocol/parameters.ts';

/** The network's parameters with the bounds of one shard's mempool. */
export function mempoolShareOf(parameters: NetworkParameters, shards: number): NetworkParameters {
  const { mempoolTransactionsMax, mempoolBytesMax } = parameters;
  return {
    ...parameters,
    mempoolTransactionsMax: Math.ceil(mempoolTransactionsMax / shards),
    mempoolBytesMax: Math.ceil(mempoolBytesMax / shards),
  };
}
