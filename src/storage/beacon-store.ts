// Rows of the beacon: the state after each block that is kept. Values are bytes; core/beacon defines them.
import { concatBytes, uint64ToBytes } from '../core/primitives/bytes.ts';
import type { Height } from '../core/primitives/ids.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import type { KeyValueStore } from './key-value-store.ts';
import { ROW_FAMILY } from './schema.ts';

/** Reads and operations on beacon rows. */
export interface BeaconStore {
  putState(height: Height, state: Uint8Array): readonly RowOperation[];
  /** Operations that forget the state of a height, if there is one; nothing below genesis. */
  dropState(height: Height): readonly RowOperation[];
  getState(height: Height): Uint8Array | undefined;
  /** Operations that store the start record of the beacon's instance, the current one or the one before it. */
  putRecord(which: BeaconInstance, record: Uint8Array): readonly RowOperation[];
  getRecord(which: BeaconInstance): Uint8Array | undefined;
}

/** The instances of the beacon that a node may run. */
export type BeaconInstance = 'current' | 'previous';

/** Beacon rows in `store`. */
export function createBeaconStore(store: KeyValueStore): BeaconStore {
  return {
    putState: (height, state) => [{ type: 'put', key: stateKey(height), value: state }],
    dropState: (height) => (height < 0 ? [] : [{ type: 'delete', key: stateKey(height) }]),
    getState: (height) => store.get(stateKey(height)),
    putRecord: (which, record) => [{ type: 'put', key: recordKey(which), value: record }],
    getRecord: (which) => store.get(recordKey(which)),
  };
}

function recordKey(which: BeaconInstance): Uint8Array {
  return Uint8Array.of(ROW_FAMILY.beaconRecord, which === 'current' ? 0 : 1);
}

function stateKey(height: Height): Uint8Array {
  return concatBytes(Uint8Array.of(ROW_FAMILY.beaconState), uint64ToBytes(height));
}
