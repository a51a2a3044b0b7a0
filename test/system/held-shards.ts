// What a validator's disk holds of shards, read when its process is gone: states of those that it follows, and of none besides.
import { epochOfHeight } from '../../src/core/beacon/epochs.ts';
import { ownShards } from '../../src/core/beacon/own-shards.ts';
import type { BeaconState } from '../../src/core/beacon/state.ts';
import type { ChainId } from '../../src/core/primitives/ids.ts';
import { genesisRoot } from '../../src/core/protocol/genesis.ts';
import { createStateDatabase, EMPTY_HEIGHT } from '../../src/core/state/state-database.ts';
import { readGenesisFile } from '../../src/node/genesis-file.ts';
import { decodeBeaconState } from '../../src/runtime/beacon-commits.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { type BeaconStore, createBeaconStore } from '../../src/storage/beacon-store.ts';
import { createBlockStore } from '../../src/storage/block-store.ts';
import { dataDirectoryAt } from '../../src/storage/data-directory.ts';
import { openLevelStore } from '../../src/storage/level-store.ts';

/** Beacon blocks that a node may be behind the first validator. */
const BEHIND_MAX = 32;

/** Of a validator that follows its own shards. */
export interface HeldShards {
  /** Of the layout. */
  readonly shards: readonly ChainId[];
  readonly held: readonly ChainId[];
  /** Those that it may hold: its own, those whose blocks it has begun to follow, and those that no new committee has taken up yet. */
  readonly allowed: ReadonlySet<ChainId>;
}

/** Reads a data directory on which no process runs; its node was at this beacon height, or behind it by as much as a moment brings. */
export async function heldShardsOf(folder: string, validator: number, beaconHeight: number): Promise<HeldShards> {
  const paths = dataDirectoryAt(folder);
  const genesis = readGenesisFile(paths.genesisFile, selectCrypto({ disableNative: false }).bls);
  const store = await openLevelStore(paths.databaseFolder, genesisRoot(genesis));
  try {
    const state = newestState(createBeaconStore(store), beaconHeight);
    const blocks = createBlockStore(store);
    const begun = state.records.filter(({ record, progress }) => {
      const known = state.instances.find((one) => one.record.shard === record.shard && one.record.epoch === record.epoch);
      return progress.round === 0 || (known !== undefined && blocks.getHead(record.shard, known.instanceId) !== undefined);
    });
    const own = ownShards(state, epochOfHeight(state.height, genesis.parameters), validator);
    return {
      shards: genesis.layout,
      held: genesis.layout.filter((shard) => createStateDatabase(store, shard).committed().height !== EMPTY_HEIGHT),
      allowed: new Set([...own, ...begun.map(({ record }) => record.shard)]),
    };
  } finally {
    await store.close();
  }
}

function newestState(beaconStore: BeaconStore, height: number): BeaconState {
  const first = Math.max(0, height - BEHIND_MAX);
  let newest = beaconStore.getState(first);
  for (let next = first + 1; newest !== undefined; next++) {
    const encoded = beaconStore.getState(next);
    if (encoded === undefined) return decodeBeaconState(newest);
    newest = encoded;
  }
  throw new Error(`beacon state ${first} is not on disk`);
}
