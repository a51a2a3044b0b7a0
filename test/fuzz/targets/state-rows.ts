// Rows as a state database writes them: a few hundred accounts with storage over some versions, so that there are buckets, pages and pages
// that add to others.

import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { ROOT_SHARD } from '../../../src/core/primitives/ids.ts';
import { createStateDatabase } from '../../../src/core/state/state-database.ts';
import type { Row } from '../../../src/core/state/state-rows.ts';
import { SeededRandom } from '../../../src/simulation/random.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import { applyWrites, type ModelState, type ModelWrite } from '../../core/state/model-state.ts';

const VERSIONS = 8;
const WRITES = 40;
const ADDRESSES = 120;
const ROWS_MAX = 10_000;

const rows: readonly Row[] = await make();

/** The rows, in order of their keys. */
export function stateRowsOf(): readonly Row[] {
  return rows;
}

async function make(): Promise<readonly Row[]> {
  await initialiseKeccak();
  const random = new SeededRandom(1, 'state rows');
  const store = createMemoryStore();
  const database = createStateDatabase(store, ROOT_SHARD);
  let state: ModelState = new Map();
  for (let height = 0; height < VERSIONS; height++) {
    const parent = database.committed();
    const next = applyWrites(
      state,
      Array.from({ length: WRITES }, () => writeOf(random)),
      parent,
    );
    state = next.state;
    const version = database.extend(parent, height, next.changes);
    await store.write(database.commit(version), { sync: false });
    database.adopted(version);
  }
  const made: Row[] = [];
  for await (const row of store.iterate({ gte: Uint8Array.of(0), lt: Uint8Array.of(0xff), limit: ROWS_MAX })) made.push(row);
  return made;
}

function writeOf(random: SeededRandom): ModelWrite {
  return {
    family: random.integer(1, 4),
    address: random.integer(1, ADDRESSES),
    balanceWei: random.chance(0.05) ? undefined : BigInt(random.integer(0, 2 ** 48)),
    recreated: random.chance(0.05),
    slots: Array.from({ length: random.integer(0, 8) }, () => ({ slot: random.integer(1, 60), value: random.integer(0, 500) })),
  };
}
