// eth_getFilterChanges: what is new since the last poll.
import { readFilterId } from '../filter-id.ts';
import { defineMethod } from '../method.ts';
import { required } from '../parameter.ts';

/** See the file's head. */
export const getFilterChanges = defineMethod('eth_getFilterChanges', [required('filter', readFilterId)], (context, id) =>
  context.filters.poll(context, id),
);
