// eth_getUncleByBlockHashAndIndex: there are no uncles.
import { defineMethod } from '../method.ts';
import { readHashHex, readQuantity, required } from '../parameter.ts';

/** See the file's head. */
export const getUncleByBlockHashAndIndex = defineMethod(
  'eth_getUncleByBlockHashAndIndex',
  [required('hash', readHashHex), required('index', readQuantity)],
  () => null,
);
