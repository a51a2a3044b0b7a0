// coppice_getLayout: the epoch, the shards in use, left to right, and those of the next epoch.
import { quantity } from '../json.ts';
import { defineMethod } from '../method.ts';

/** See the file's head. */
export const getLayout = defineMethod('coppice_getLayout', [], ({ ports }) => {
  const { epoch, shards, next } = ports.node.layout();
  return { epoch: quantity(epoch), shards: shards.map(quantity), next: next.map(quantity) };
});
