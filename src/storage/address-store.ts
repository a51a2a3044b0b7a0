// Rows of address records: of each validator the newest. Values are bytes; core/protocol/address-record.ts defines them.
import { concatBytes, uint64ToBytes } from '../core/primitives/bytes.ts';
import type { ValidatorIndex } from '../core/primitives/ids.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import type { KeyValueStore } from './key-value-store.ts';
import { ROW_FAMILY } from './schema.ts';

/** Validators that there can be: one row each. */
const ROWS_MAX = 2 ** 20;

/** Reads and operations on rows of address records. */
export interface AddressStore {
  put(validator: ValidatorIndex, encoded: Uint8Array): readonly RowOperation[];
  /** All of them, by ascending validator index. */
  readAll(): Promise<readonly Uint8Array[]>;
}

/** Rows of address records in `store`. */
export function createAddressStore(store: KeyValueStore): AddressStore {
  return {
    put: (validator, encoded) => [{ type: 'put', key: keyOf(validator), value: encoded }],
    readAll: async () => {
      const found: Uint8Array[] = [];
      const range = { gte: keyOf(0), lt: Uint8Array.of(ROW_FAMILY.addressRecord + 1), limit: ROWS_MAX };
      for await (const { value } of store.iterate(range)) found.push(value);
      return found;
    },
  };
}

function keyOf(validator: ValidatorIndex): Uint8Array {
  return concatBytes(Uint8Array.of(ROW_FAMILY.addressRecord), uint64ToBytes(validator));
}
