// eth_newPendingTransactionFilter: hashes of transactions that become executable, to be polled.
import { defineMethod } from '../method.ts';

/** See the file's head. */
export const newPendingTransactionFilter = defineMethod('eth_newPendingTransactionFilter', [], ({ filters }) =>
  filters.addPendingTransactionFilter(),
);
