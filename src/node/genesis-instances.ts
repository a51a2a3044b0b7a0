// The instances that a genesis starts, without a node's database: for tools, and for whoever judges what was signed in them.
import { beaconConstantsOf } from '../core/beacon/constants.ts';
import { genesisBeaconState } from '../core/beacon/genesis-state.ts';
import { firstBeaconRecord, instanceOfRecord } from '../core/beacon/instance.ts';
import type { Instance } from '../core/protocol/committee.ts';
import type { Genesis } from '../core/protocol/genesis.ts';
import { createMemoryStore } from '../storage/memory-store.ts';
import { rootOfShardIn, writeGenesisShards } from './genesis-shards.ts';

/** The first instance of the beacon, and that of each shard, left to right. */
export async function instancesOfGenesis(genesis: Genesis): Promise<readonly Instance[]> {
  const constants = beaconConstantsOf(genesis);
  const state = genesisBeaconState(genesis, rootOfShardIn(await writeGenesisShards(genesis, createMemoryStore())));
  const records = [firstBeaconRecord(state), ...state.records.map(({ record }) => record)];
  return records.map((record) => instanceOfRecord(constants, state, record));
}
