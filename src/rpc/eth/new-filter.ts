// eth_newFilter: logs to come, to be polled.
import { readLogFilter } from '../log-filter.ts';
import { defineMethod } from '../method.ts';
import { required } from '../parameter.ts';

/** See the file's head. */
export const newFilter = defineMethod('eth_newFilter', [required('filter', readLogFilter)], ({ filters }, filter) =>
  filters.addLogFilter(filter),
);
