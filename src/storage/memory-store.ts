// The database in memory, for tests and the simulator: same semantics as level-store, in the order of calls, without any clock or
// thread. It can also lose power: what was not synced is then gone from some batch on, never a batch in part, as LevelDB's log does it.

import { CoppiceError } from '../core/primitives/errors.ts';
import type { Row, RowRange } from '../core/state/state-rows.ts';
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

/** What a row was before a batch; undefined where it was not there. */
interface Before {
  readonly name: string;
  readonly value: Uint8Array | undefined;
}

function storeOver(rows: Map<string, Uint8Array>): MemoryStore {
  /** Names by their first byte, the room that they belong to: a range is read without looking at all the others. */
  const namesByRoom = new Map<number, Set<string>>();
  for (const name of rows.keys()) roomOf(namesByRoom, name).add(name);
  /** Of each batch since the last sync, in the order of its operations. */
  let unsynced: (readonly Before[])[] = [];
  let failing = false;

  const put = (name: string, value: Uint8Array | undefined): void => {
    if (value === undefined) {
      if (rows.delete(name)) roomOf(namesByRoom, name).delete(name);
      return;
    }
    const count = rows.size;
    rows.set(name, value);
    if (rows.size > count) roomOf(namesByRoom, name).add(name);
  };

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
      const before: Before[] = [];
      for (const operation of batch) {
        const name = nameOf(operation.key);
        if (!options.sync) before.push({ name, value: rows.get(name) });
        put(name, operation.type === 'put' ? operation.value.slice() : undefined);
      }
      if (options.sync) unsynced = [];
      else unsynced.push(before);
    },
    async *iterate(range) {
      yield* rowsOf(rows, namesByRoom, range);
    },
    close: async () => {},
    afterPowerLoss(keptBatches) {
      const found = new Map(rows);
      for (const batch of unsynced.slice(Math.min(keptBatches, unsynced.length)).reverse())
        for (const { name, value } of batch.toReversed())
          if (value !== undefined) found.set(name, value);
          else found.delete(name);
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

// One character a byte: strings of this kind compare as their bytes do.
function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
