// The database in memory, for tests and the simulator: same semantics as level-store, in the order of calls, without any clock or
// thread. It can also lose power: what was not synced is then gone from some batch on, never a batch in part, as LevelDB's log does it.

import { CoppiceError } from '../core/primitives/errors.ts';
import type { Row, RowOperation, RowRange } from '../core/state/state-rows.ts';
import type { KeyValueStore } from './key-value-store.ts';

/** The memory store and what only a test asks of it. */
export interface MemoryStore extends KeyValueStore {
  /** A store as it would be found after a loss of power that kept `keptBatches` of those written since the last sync. */
  afterPowerLoss(keptBatches: number): MemoryStore;
  /** The next write fails: nothing of it is applied. */
  failNextWrite(): void;
  readonly rowCount: number;
}

/** An empty database in memory. */
export function createMemoryStore(): MemoryStore {
  return storeOver(new Map());
}

/** An operation as it is kept: under the name of its key, with a value of its own; undefined deletes. */
interface Kept {
  readonly name: string;
  readonly value: Uint8Array | undefined;
}

function storeOver(synced: ReadonlyMap<string, Uint8Array>): MemoryStore {
  const durable = new Map(synced);
  const rows = new Map(synced);
  /** Names by their first byte, the room that they belong to: a range is read without looking at all the others. */
  const namesByRoom = new Map<number, Set<string>>();
  for (const name of rows.keys()) roomOf(namesByRoom, name).add(name);
  let unsynced: (readonly Kept[])[] = [];
  let failing = false;

  return {
    get rowCount() {
      return rows.size;
    },
    get: (key) => rows.get(nameOf(key))?.slice(),
    async write(batch, options) {
      if (failing) {
        failing = false;
        throw new CoppiceError('storage/unavailable', { path: 'memory', detail: 'the write was made to fail' });
      }
      const kept = batch.map(keptOf);
      apply(rows, kept);
      for (const operation of kept) index(namesByRoom, operation);
      unsynced.push(kept);
      if (!options.sync) return;
      for (const earlier of unsynced) apply(durable, earlier);
      unsynced = [];
    },
    async *iterate(range) {
      yield* rowsOf(rows, namesByRoom, range);
    },
    close: async () => {},
    afterPowerLoss(keptBatches) {
      const found = new Map(durable);
      for (const batch of unsynced.slice(0, keptBatches)) apply(found, batch);
      return storeOver(found);
    },
    failNextWrite() {
      failing = true;
    },
  };
}

// The range is copied before the first row goes out: later writes do not show, as with LevelDB's snapshots.
function rowsOf(
  rows: ReadonlyMap<string, Uint8Array>,
  namesByRoom: ReadonlyMap<number, ReadonlySet<string>>,
  range: RowRange,
): readonly Row[] {
  const [from, to] = [nameOf(range.gte), nameOf(range.lt)];
  const names: string[] = [];
  for (const [room, members] of namesByRoom) {
    if (room < firstByteOf(from) || room > firstByteOf(to)) continue;
    for (const name of members) if (name >= from && name < to) names.push(name);
  }
  names.sort(compareNames);
  const chosen = range.reverse === true ? names.reverse() : names;
  return chosen
    .slice(0, range.limit)
    .map((name) => ({ key: new Uint8Array(Buffer.from(name, 'latin1')), value: (rows.get(name) as Uint8Array).slice() }));
}

function index(namesByRoom: Map<number, Set<string>>, { name, value }: Kept): void {
  const members = roomOf(namesByRoom, name);
  if (value !== undefined) members.add(name);
  else members.delete(name);
}

function roomOf(namesByRoom: Map<number, Set<string>>, name: string): Set<string> {
  const room = firstByteOf(name);
  const members = namesByRoom.get(room) ?? new Set<string>();
  namesByRoom.set(room, members);
  return members;
}

/** -1 for the empty name, which stands before all others. */
function firstByteOf(name: string): number {
  return name === '' ? -1 : name.charCodeAt(0);
}

function apply(rows: Map<string, Uint8Array>, batch: readonly Kept[]): void {
  for (const { name, value } of batch) {
    if (value !== undefined) rows.set(name, value);
    else rows.delete(name);
  }
}

function keptOf(operation: RowOperation): Kept {
  return { name: nameOf(operation.key), value: operation.type === 'put' ? operation.value.slice() : undefined };
}

// One character a byte: strings of this kind compare as their bytes do.
function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
