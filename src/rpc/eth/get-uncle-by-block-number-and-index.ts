// eth_getUncleByBlockNumberAndIndex: there are no uncles.
import { readBlockNumberOrTag } from '../block-selector.ts';
import { defineMethod } from '../method.ts';
import { readQuantity, required } from '../parameter.ts';

/** See the file's head. */
export const getUncleByBlockNumberAndIndex = defineMethod(
  'eth_getUncleByBlockNumberAndIndex',
  [required('block', readBlockNumberOrTag), required('index', readQuantity)],
  () => null,
);
