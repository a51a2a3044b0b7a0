// View block 0: the world of genesis, as clients see it.
import { genesisBeaconState, STAKE_PER_SEAT_GWEI } from '../core/beacon/genesis-state.ts';
import { firstBeaconRecord } from '../core/beacon/instance.ts';
import type { Bytes32, ChainId, Wei } from '../core/primitives/ids.ts';
import { StartRecord } from '../core/protocol/committee.ts';
import type { Genesis } from '../core/protocol/genesis.ts';
import { anchorOf, WEI_PER_GWEI } from '../core/view/anchor.ts';
import { deriveViewBlock } from '../core/view/derive-block.ts';
import { encodeSupplyTotals, genesisTotals } from '../core/view/supply.ts';
import { encodeViewHeader } from '../core/view/view-header-codec.ts';
import type { KeyValueStore } from '../storage/key-value-store.ts';
import type { ViewStore } from '../storage/view-store.ts';

/** What is staked at genesis. */
export function genesisStakeWei({ validators }: Pick<Genesis, 'validators'>): Wei {
  return BigInt(validators.reduce((sum, { seats }) => sum + seats, 0)) * STAKE_PER_SEAT_GWEI * WEI_PER_GWEI;
}

/** Writes view block 0 where there is none. */
export async function writeGenesisView(
  genesis: Genesis,
  rootOf: (shard: ChainId) => Bytes32,
  { store, viewStore }: { readonly store: KeyValueStore; readonly viewStore: ViewStore },
): Promise<void> {
  if (viewStore.getHead() !== undefined) return;
  const state = genesisBeaconState(genesis, rootOf);
  const record = firstBeaconRecord(state);
  const stakeWei = genesisStakeWei(genesis);
  const anchor = anchorOf({ hash: StartRecord.hashTreeRoot(record), seed: record.seed }, state, [], stakeWei);
  const block = deriveViewBlock(anchor, undefined, [], genesis.parameters);
  const operations = viewStore.putBlock({
    number: 0,
    hash: block.hash,
    header: encodeViewHeader(block, { executions: [], late: [], heights: anchor.states }),
    totals: encodeSupplyTotals(genesisTotals(stakeWei)),
    transactionHashes: [],
    originsElsewhere: [],
  });
  await store.write(operations, { sync: true });
}
