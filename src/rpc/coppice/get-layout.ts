// coppice_getLayout: the shards in use, left to right, and the epoch in which they are.
import { quantity } from '../json.ts';
import { defineMethod } from '../method.ts';

/** See the file's head. */
export const getLayout = defineMethod('coppice_getLayout', [], ({ ports }) => {
  const { epoch, shards } = ports.node.layout();
  return { epoch: quantity(epoch), shards: shards.map(quantity) };
});
