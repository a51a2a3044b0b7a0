// Rows of the beacon: the state after each block that is kept, a point for every block, the record of the present instance. States and
// records are bytes here; core/beacon defines them.
import { concatBytes, uint64At, uint64ToBytes } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32, ChainId, Height, TimestampMs } from '../core/primitives/ids.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import type { KeyValueStore } from './key-value-store.ts';
import { ROW_FAMILY } from './schema.ts';

/** A committed beacon block, whatever its instance. Height 0 is genesis, with the root of the first start record for a hash. */
export interface BeaconPoint {
  readonly hash: Bytes32;
  readonly timestampMs: TimestampMs;
  /** seed(B). */
  readonly seed: Bytes32;
}

const RECORD_KEY = Uint8Array.of(ROW_FAMILY.beaconRecord);
const HASH_BYTES = 32;
/** After the family and the source. */
const OUTBOX_HEIGHT_AT = 1 + 8;
/** Outboxes of one source that one read gives: it is bounded by what was sent and not read. */
const OUTBOXES_MAX = Number.MAX_SAFE_INTEGER;
const TIMESTAMP_BYTES = 8;
const POINT_BYTES = HASH_BYTES + TIMESTAMP_BYTES + HASH_BYTES;

/** Reads and operations on beacon rows. */
export interface BeaconStore {
  putState(height: Height, state: Uint8Array): readonly RowOperation[];
  /** Operations that forget the state of a height, if there is one; nothing below genesis. */
  dropState(height: Height): readonly RowOperation[];
  getState(height: Height): Uint8Array | undefined;
  /** Operations that store what a source sent at a height, and where that became final: encoded. */
  putOutbox(source: ChainId, height: Height, outbox: Uint8Array): readonly RowOperation[];
  /** What a source sent from a height on, ascending. */
  readOutboxes(source: ChainId, from: Height): Promise<readonly { readonly height: Height; readonly outbox: Uint8Array }[]>;
  putPoint(height: Height, point: BeaconPoint): readonly RowOperation[];
  getPoint(height: Height): BeaconPoint | undefined;
  /** Operations that store the start record of the beacon's instance. */
  putRecord(record: Uint8Array): readonly RowOperation[];
  getRecord(): Uint8Array | undefined;
}

/** Beacon rows in `store`. */
export function createBeaconStore(store: KeyValueStore): BeaconStore {
  return {
    putState: (height, state) => [{ type: 'put', key: stateKey(height), value: state }],
    dropState: (height) => (height < 0 ? [] : [{ type: 'delete', key: stateKey(height) }]),
    getState: (height) => store.get(stateKey(height)),
    putOutbox: (source, height, outbox) => [{ type: 'put', key: outboxKey(source, height), value: outbox }],
    readOutboxes: async (source, from) => {
      const outboxes: { readonly height: Height; readonly outbox: Uint8Array }[] = [];
      const range = { gte: outboxKey(source, from), lt: outboxKey(source + 1, 0), limit: OUTBOXES_MAX };
      for await (const { key, value } of store.iterate(range)) outboxes.push({ height: uint64At(key, OUTBOX_HEIGHT_AT), outbox: value });
      return outboxes;
    },
    putPoint: (height, { hash, timestampMs, seed }) => [
      { type: 'put', key: pointKey(height), value: concatBytes(hash, uint64ToBytes(timestampMs), seed) },
    ],
    getPoint: (height) => {
      const value = store.get(pointKey(height));
      return value === undefined ? undefined : decodePoint(value);
    },
    putRecord: (record) => [{ type: 'put', key: RECORD_KEY, value: record }],
    getRecord: () => store.get(RECORD_KEY),
  };
}

function decodePoint(value: Uint8Array): BeaconPoint {
  invariant(value.length === POINT_BYTES, 'a stored point is a hash, a time and a seed');
  const seedAt = HASH_BYTES + TIMESTAMP_BYTES;
  return { hash: value.slice(0, HASH_BYTES), timestampMs: uint64At(value, HASH_BYTES), seed: value.slice(seedAt) };
}

function outboxKey(source: ChainId, height: Height): Uint8Array {
  return concatBytes(Uint8Array.of(ROW_FAMILY.anchoredOutbox), uint64ToBytes(source), uint64ToBytes(height));
}

function pointKey(height: Height): Uint8Array {
  return concatBytes(Uint8Array.of(ROW_FAMILY.beaconPoint), uint64ToBytes(height));
}

function stateKey(height: Height): Uint8Array {
  return concatBytes(Uint8Array.of(ROW_FAMILY.beaconState), uint64ToBytes(height));
}
