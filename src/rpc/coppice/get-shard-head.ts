// coppice_getShardHead: how far a shard is; null for a shard that is not in use.
import { data, quantity } from '../json.ts';
import { defineMethod } from '../method.ts';
import { readCount, required } from '../parameter.ts';

/** See the file's head. */
export const getShardHead = defineMethod('coppice_getShardHead', [required('shard', readCount)], ({ ports }, shard) => {
  const head = ports.node.shardHead(shard);
  if (head === undefined) return null;
  return {
    shard: quantity(shard),
    height: quantity(head.height),
    round: quantity(head.round),
    hash: data(head.hash),
    stateRoot: data(head.stateRoot),
    timestampMs: quantity(head.timestampMs),
    finalizedHeight: quantity(head.finalizedHeight),
  };
});
