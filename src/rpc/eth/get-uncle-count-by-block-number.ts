// eth_getUncleCountByBlockNumber: there are no uncles.
import { finalBlockOf, readBlockNumberOrTag } from '../block-selector.ts';
import { defineMethod } from '../method.ts';
import { required } from '../parameter.ts';

/** See the file's head. */
export const getUncleCountByBlockNumber = defineMethod(
  'eth_getUncleCountByBlockNumber',
  [required('block', readBlockNumberOrTag)],
  async ({ ports }, selector) => (selector.kind !== 'pending' && (await finalBlockOf(selector, ports)) === undefined ? null : '0x0'),
);
