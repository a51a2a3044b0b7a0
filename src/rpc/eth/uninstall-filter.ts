// eth_uninstallFilter: true if there was such a filter.
import { readFilterId } from '../filter-id.ts';
import { defineMethod } from '../method.ts';
import { required } from '../parameter.ts';

/** See the file's head. */
export const uninstallFilter = defineMethod('eth_uninstallFilter', [required('filter', readFilterId)], ({ filters }, id) =>
  filters.remove(id),
);
