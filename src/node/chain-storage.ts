// What the database says of a chain when a node starts: nothing yet (then genesis is written), or the newest committed block and
// everything that running on from it takes.
import type { VrfScheme } from '../core/crypto/vrf.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import { type Bytes32, ROOT_SHARD } from '../core/primitives/ids.ts';
import { type Instance, makeInstance } from '../core/protocol/committee.ts';
import { committeeOf, type Genesis, genesisRoot, startRecordOf } from '../core/protocol/genesis.ts';
import { commitmentOfStart, factsOfStart } from '../core/shard/parent-facts.ts';
import { buildGenesisState } from '../core/state/genesis-state.ts';
import { createStateDatabase } from '../core/state/state-database.ts';
import type { StateDatabase } from '../core/state/state-version.ts';
import { deriveViewBlock } from '../core/view/derive-block.ts';
import { encodeSupplyTotals, NO_SUPPLY_TOTALS } from '../core/view/supply.ts';
import type { ViewBlock } from '../core/view/view-block.ts';
import { decodeViewBlock, encodeViewBlock } from '../core/view/view-block-codec.ts';
import type { ShardOutcome } from '../runtime/shard-logic.ts';
import type { ViewTip } from '../runtime/view-chain.ts';
import type { BlockStore } from '../storage/block-store.ts';
import type { KeyValueStore } from '../storage/key-value-store.ts';
import { createMemoryStore } from '../storage/memory-store.ts';
import type { ViewStore } from '../storage/view-store.ts';
import { type LoadedInstance, loadInstance, type NewestBlock } from './load-instance.ts';
import { refuseMissingBlocks } from './missing-block.ts';

/** The stores of one node. */
export interface ChainStores {
  readonly store: KeyValueStore;
  readonly blockStore: BlockStore;
  readonly viewStore: ViewStore;
  readonly states: StateDatabase;
}

/** What it takes to open one. */
export interface ChainOpening extends ChainStores {
  readonly vrf: VrfScheme;
}

/** Where a shard stands on disk, and what clients see of it. */
export interface LoadedChain extends LoadedInstance<ShardOutcome> {
  readonly visible: ViewTip;
  readonly newest: ViewTip;
}

/** Opens a chain; a new database gets the genesis state and view block 0 in one batch, one with holes is refused (`storage/incomplete`). */
export async function loadChain(genesis: Genesis, stores: ChainOpening): Promise<LoadedChain> {
  const { viewStore, states } = stores;
  const newestNumber = viewStore.getHead();
  if (newestNumber === undefined) await writeGenesis(genesis, stores);
  else await refuseMissingBlocks(viewStore, newestNumber);
  const genesisView = readView(viewStore, 0, genesis);
  const instance = instanceOf(genesis, genesisView.header.stateRoot);
  const loaded = await loadInstance(stores, instance, {
    roleOf: () => 'ordinary', // Until there is a beacon no epoch ends.
    start: () => startOutcome(instance, stores),
    newest: (newest) => newestOutcome(newest, states),
  });
  if (loaded.engineStart.committed === undefined) {
    const tip = { block: genesisView, state: states.committed() };
    return { ...loaded, visible: tip, newest: tip };
  }
  const newest = { block: readView(viewStore, loaded.committed.facts.height, genesis), state: loaded.committed.version };
  return { ...loaded, visible: visibleBefore(newest, genesisView, stores, genesis), newest };
}

/** The instance that a genesis starts, without a database: for tools. */
export async function instanceOfGenesis(genesis: Genesis): Promise<Instance> {
  const store = createMemoryStore();
  const states = await createStateDatabase(store, ROOT_SHARD);
  const changes = buildGenesisState(genesis.accounts.map((account) => ({ ...account, family: account.address })));
  const version = await states.writeFirst(0, changes, (operations) => store.write(operations, { sync: false }));
  return instanceOf(genesis, version.root);
}

function newestOutcome({ hash, block: { header, body }, record }: NewestBlock, states: StateDatabase): ShardOutcome {
  const version = states.committed();
  invariant(
    bytesToHex(version.root) === bytesToHex(record.commitment.stateRoot),
    'the committed state is that of the newest committed block',
  );
  const { height, timestampMs, baseFeePerGasWei } = header;
  const facts = { hash, height, timestampMs, baseFeePerGasWei, hasItems: body.transactions.length > 0 };
  return { hash, facts, commitment: record.commitment, version, seed: record.point.seed };
}

function visibleBefore(newest: ViewTip, genesisView: ViewBlock, { viewStore, states }: ChainStores, genesis: Genesis): ViewTip {
  const number = newest.block.header.number - 1;
  const block = number <= 0 ? genesisView : readView(viewStore, number, genesis);
  const state = states.at(block.header.number);
  invariant(state !== undefined, 'the state before the newest is not pruned');
  return { block, state };
}

async function writeGenesis(genesis: Genesis, { store, viewStore, states }: ChainStores): Promise<void> {
  const changes = buildGenesisState(genesis.accounts.map((account) => ({ ...account, family: account.address })));
  // A large genesis is written in parts; it counts when the batch below, with view block 0, completes it.
  const version = await states.writeFirst(0, changes, (operations) => store.write(operations, { sync: false }));
  const block = genesisViewOf(genesis, instanceOf(genesis, version.root), version.root);
  const operations = [
    ...states.commit(version),
    ...viewStore.putBlock(0, block.hash, encodeViewBlock(block), []),
    ...viewStore.putSupplyTotals(0, encodeSupplyTotals(NO_SUPPLY_TOTALS)),
  ];
  await store.write(operations, { sync: true });
  states.adopted(version);
}

function genesisViewOf(genesis: Genesis, instance: Instance, worldRoot: Bytes32): ViewBlock {
  const { timestampMs, seed, baseFeePerGasWei } = instance.startRecord;
  const anchor = { number: 0, hash: instance.startRecordRoot, timestampMs, prevRandao: seed, worldRoot, baseFeePerGasWei };
  return deriveViewBlock(anchor, undefined, [], genesis.parameters);
}

function instanceOf(genesis: Genesis, stateRoot: Bytes32): Instance {
  return makeInstance(genesisRoot(genesis), startRecordOf(genesis, stateRoot), committeeOf(genesis));
}

function startOutcome(instance: Instance, { states }: ChainStores): ShardOutcome {
  return {
    hash: instance.startRecordRoot,
    facts: factsOfStart(instance),
    commitment: commitmentOfStart(instance),
    version: states.committed(),
    seed: instance.startRecord.seed,
  };
}

function readView(viewStore: ViewStore, number: number, genesis: Genesis): ViewBlock {
  const header = viewStore.getHeader(number);
  const transactions = viewStore.getTransactions(number);
  const receipts = viewStore.getReceipts(number);
  invariant(header !== undefined && transactions !== undefined && receipts !== undefined, `view block ${number} is stored whole`);
  return decodeViewBlock({ header, transactions, receipts }, genesis.parameters.evmChainId);
}
