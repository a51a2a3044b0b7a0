// eth_getFilterLogs: all logs in the range of a log filter.
import { readFilterId } from '../filter-id.ts';
import { defineMethod } from '../method.ts';
import { required } from '../parameter.ts';

/** See the file's head. */
export const getFilterLogs = defineMethod('eth_getFilterLogs', [required('filter', readFilterId)], (context, id) =>
  context.filters.read(context, id),
);
