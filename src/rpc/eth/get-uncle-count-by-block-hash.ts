// eth_getUncleCountByBlockHash: there are no uncles.
import { defineMethod } from '../method.ts';
import { readHashHex, required } from '../parameter.ts';

/** See the file's head. */
export const getUncleCountByBlockHash = defineMethod(
  'eth_getUncleCountByBlockHash',
  [required('hash', readHashHex)],
  async ({ ports }, hash) => ((await ports.view.blockByHash(hash)) === undefined ? null : '0x0'),
);
