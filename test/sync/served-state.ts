// What the tests of fetched states share: a shard's state that takes several answers, in a store of two shards, and a handler that serves it.
import assert from 'node:assert/strict';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { uint64ToBytes } from '../../src/core/primitives/bytes.ts';
import { type ChainId, ROOT_SHARD } from '../../src/core/primitives/ids.ts';
import { changeLayout } from '../../src/core/state/change-layout.ts';
import { buildGenesisState } from '../../src/core/state/genesis-state.ts';
import { createStateDatabase } from '../../src/core/state/state-database.ts';
import type { StateDatabase } from '../../src/core/state/state-version.ts';
import type { PeerName, RequestHandler } from '../../src/network/ports.ts';
import type { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import { createMemoryStore, type MemoryStore } from '../../src/storage/memory-store.ts';
import type { ByteRates } from '../../src/sync/byte-ration.ts';
import { ANSWER_CHUNKS_MAX, type StateName } from '../../src/sync/state-protocol.ts';
import { serveStates } from '../../src/sync/state-transfer-server.ts';
import { familiesIn } from '../core/messaging/messages.ts';

/** A state of shard 2, and the chunks that it comes in. */
export interface ServedState {
  readonly full: MemoryStore;
  readonly wanted: StateName;
  readonly chunks: readonly Uint8Array[];
}

export const HEIGHT = 9;
/** Of shard 2, with a few of its neighbour. */
const ACCOUNTS = 240;
/** Of one contract, at a place where a chunk ends within them. */
const LARGE = 81;
const SLOTS = 900;
/** So many have large code, so that there are two answers of little work. */
const CONTRACTS = 24;
const CODE_BYTES = 24_000;

/** See the file's head. */
export async function makeServedState(): Promise<ServedState> {
  await initialiseKeccak();
  const full = createMemoryStore();
  const addresses = [...familiesIn(2, ACCOUNTS), ...familiesIn(3, 20)];
  const accounts = addresses.map((address, n) => {
    const isContract = n % (ACCOUNTS / CONTRACTS) === 1;
    const slots = Array.from({ length: n === LARGE ? SLOTS : isContract ? 3 : 0 }, (_unused, slot) => ({
      slot: sha256(uint64ToBytes(slot)),
      value: sha256(uint64ToBytes(n), uint64ToBytes(slot)),
    }));
    const code = isContract ? new Uint8Array(CODE_BYTES).fill(n) : new Uint8Array();
    return { address, family: address, balanceWei: BigInt(n), nonce: 1n, code, storage: slots };
  });
  const database = createStateDatabase(full, ROOT_SHARD);
  const version = await database.writeFirst(HEIGHT, buildGenesisState(accounts), (operations) => full.write(operations, { sync: false }));
  await full.write(database.commit(version), { sync: false });
  database.adopted(version);
  const { operations } = await changeLayout(full, [database], [2, 3]);
  await full.write(operations, { sync: false });
  const shard = createStateDatabase(full, 2);
  const wanted = { shard: 2, height: HEIGHT, root: shard.committed().root };
  const chunks: Uint8Array[] = [];
  for await (const chunk of shard.exportVersion(shard.committed())) chunks.push(chunk);
  assert.ok(chunks.length > ANSWER_CHUNKS_MAX + 1, `${chunks.length} chunks`);
  return { full, wanted, chunks };
}

/** A handler of requests that serves these states of shard 2. */
export function serving(clock: VirtualClock, states: StateDatabase, rates?: ByteRates): RequestHandler {
  let handler: RequestHandler | undefined;
  const handle = (_protocol: string, given: RequestHandler): void => {
    handler = given;
  };
  const statesOf = (shard: ChainId) => (shard === 2 ? states : undefined);
  const onBadRequest = (_peer: PeerName, reason: string): void => assert.fail(reason);
  const more = rates === undefined ? {} : { rates };
  serveStates({ handle, request: async () => [] }, { statesOf, clock, pause: undefined, onBadRequest, ...more });
  return handler as RequestHandler;
}
