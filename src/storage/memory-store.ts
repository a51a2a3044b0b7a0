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

function storeOver(synced: ReadonlyMap<string, Uint8Array>): MemoryStore {
  let durable = synced;
  let unsynced: (readonly RowOperation[])[] = [];
  const rows = new Map(synced);
  let sortedKeys: readonly string[] | undefined;
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
      const kept = batch.map((operation) => ownedCopy(operation));
      apply(rows, kept);
      sortedKeys = undefined;
      unsynced.push(kept);
      if (!options.sync) return;
      durable = new Map(rows);
      unsynced = [];
    },
    async *iterate(range) {
      sortedKeys ??= [...rows.keys()].sort(compareNames);
      yield* rowsOf(rows, sortedKeys, range);
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
function rowsOf(rows: ReadonlyMap<string, Uint8Array>, sortedKeys: readonly string[], range: RowRange): readonly Row[] {
  const from = lowerBound(sortedKeys, nameOf(range.gte));
  const to = lowerBound(sortedKeys, nameOf(range.lt));
  const names = sortedKeys.slice(from, Math.max(from, to));
  const chosen = range.reverse === true ? names.reverse() : names;
  return chosen.slice(0, range.limit).map((name) => ({ key: Buffer.from(name, 'latin1'), value: (rows.get(name) as Uint8Array).slice() }));
}

function apply(rows: Map<string, Uint8Array>, batch: readonly RowOperation[]): void {
  for (const operation of batch) {
    if (operation.type === 'put') rows.set(nameOf(operation.key), operation.value);
    else rows.delete(nameOf(operation.key));
  }
}

function ownedCopy(operation: RowOperation): RowOperation {
  return operation.type === 'put' ? { ...operation, value: operation.value.slice() } : operation;
}

// One character a byte: strings of this kind compare as their bytes do.
function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function lowerBound(names: readonly string[], name: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle] as string) < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
