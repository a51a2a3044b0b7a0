// eth_getLogs.
import { findLogs, readLogFilter } from '../log-filter.ts';
import { defineMethod } from '../method.ts';
import { required } from '../parameter.ts';

/** See the file's head. */
export const getLogs = defineMethod('eth_getLogs', [required('filter', readLogFilter)], (context, filter) => findLogs(context, filter));
