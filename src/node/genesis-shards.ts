// The first state of each shard of a network where there is a beacon: the genesis accounts under it. Written once, before the beacon's first state
// commits the roots.
import { placementOfFamily } from '../core/messaging/placement.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32, ChainId } from '../core/primitives/ids.ts';
import type { Genesis } from '../core/protocol/genesis.ts';
import { isUnder } from '../core/protocol/shard-id.ts';
import { buildGenesisState } from '../core/state/genesis-state.ts';
import { createStateDatabase, EMPTY_HEIGHT } from '../core/state/state-database.ts';
import type { KeyValueStore } from '../storage/key-value-store.ts';

/** The root of a shard of genesis, for who needs one for each. */
export function rootOfShardIn(roots: ReadonlyMap<ChainId, Bytes32>): (shard: ChainId) => Bytes32 {
  return (shard) => {
    const root = roots.get(shard);
    invariant(root !== undefined, 'genesis has a root for each shard of its layout');
    return root;
  };
}

/** Writes the genesis accounts of each shard of the layout where they are not there yet, and gives the shards' roots. */
export async function writeGenesisShards(genesis: Genesis, store: KeyValueStore): Promise<ReadonlyMap<ChainId, Bytes32>> {
  const roots = new Map<ChainId, Bytes32>();
  for (const shard of genesis.layout) {
    const states = createStateDatabase(store, shard);
    if (states.committed().height === EMPTY_HEIGHT) {
      const accounts = genesis.accounts.filter(({ address }) => isUnder(placementOfFamily(address), shard));
      const changes = buildGenesisState(accounts.map((account) => ({ ...account, family: account.address })));
      // In parts; it counts when the batch below completes it.
      const version = await states.writeFirst(0, changes, (operations) => store.write(operations, { sync: false }));
      await store.write(states.commit(version), { sync: true });
      states.adopted(version);
    }
    roots.set(shard, states.committed().root);
  }
  return roots;
}
