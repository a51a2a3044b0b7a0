// What the database says of a chain when a node starts: nothing yet (then genesis is written), or the newest committed block and
// everything that running on from it takes.
import type { StoredBlock as EngineBlock, StartingPoint } from '../core/consensus/state.ts';
import type { VrfScheme } from '../core/crypto/vrf.ts';
import { bytesToHex, compareBytes } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32 } from '../core/primitives/ids.ts';
import type { BlockHeader } from '../core/protocol/block.ts';
import { Block, BlockCertificates } from '../core/protocol/certified-block.ts';
import { type Instance, makeInstance } from '../core/protocol/committee.ts';
import { committeeOf, type Genesis, genesisRoot, startRecordOf } from '../core/protocol/genesis.ts';
import { decodeCanonical } from '../core/protocol/ssz.ts';
import { commitmentOfStart, factsOfStart } from '../core/shard/parent-facts.ts';
import { buildGenesisState } from '../core/state/genesis-state.ts';
import { createStateDatabase } from '../core/state/state-database.ts';
import type { StateDatabase } from '../core/state/state-version.ts';
import { deriveViewBlock } from '../core/view/derive-block.ts';
import { encodeSupplyTotals, NO_SUPPLY_TOTALS } from '../core/view/supply.ts';
import type { ViewBlock } from '../core/view/view-block.ts';
import { decodeViewBlock, encodeViewBlock } from '../core/view/view-block-codec.ts';
import { decodeCommittedRecord } from '../runtime/committed-record.ts';
import type { ShardOutcome } from '../runtime/shard-logic.ts';
import type { ViewTip } from '../runtime/view-chain.ts';
import type { BlockStore } from '../storage/block-store.ts';
import type { KeyValueStore } from '../storage/key-value-store.ts';
import { createMemoryStore } from '../storage/memory-store.ts';
import type { ViewStore } from '../storage/view-store.ts';
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

/** Where a chain stands on disk. */
export interface LoadedChain {
  readonly instance: Instance;
  /** Of the newest committed block, or of the start record. */
  readonly committed: ShardOutcome;
  readonly engineStart: Pick<StartingPoint, 'committed' | 'closed' | 'storedBlocks'>;
  /** Blocks that were voted for and are not committed, in the order of `engineStart.storedBlocks`. */
  readonly pending: readonly Block[];
  readonly visible: ViewTip;
  readonly newest: ViewTip;
}

/** Opens a chain; a new database gets the genesis state and view block 0 in one batch, one with holes is refused (`storage/incomplete`). */
export async function loadChain(genesis: Genesis, stores: ChainOpening): Promise<LoadedChain> {
  const { blockStore, viewStore, states } = stores;
  const newest = viewStore.getHead();
  if (newest === undefined) await writeGenesis(genesis, stores);
  else await refuseMissingBlocks(viewStore, newest);
  const genesisView = readView(viewStore, 0, genesis);
  const instance = instanceOf(genesis, genesisView.header.stateRoot);
  const head = blockStore.getHead(instance.chain, instance.instanceId);
  if (head === undefined) {
    const tip = { block: genesisView, state: states.committed() };
    const pending = await loadPending(stores, instance, instance.startRecord.height);
    return {
      instance,
      committed: startOutcome(instance, stores),
      engineStart: { committed: undefined, closed: undefined, storedBlocks: pending.map(({ engine }) => engine) },
      pending: pending.map(({ block }) => block),
      visible: tip,
      newest: tip,
    };
  }
  return loadFrom(genesis, stores, instance, head.height, genesisView);
}

/** The instance that a genesis starts, without a database: for tools. */
export async function instanceOfGenesis(genesis: Genesis): Promise<Instance> {
  const store = createMemoryStore();
  const states = await createStateDatabase(store);
  const changes = buildGenesisState(genesis.accounts.map((account) => ({ ...account, family: account.address })));
  const version = await states.writeFirst(0, changes, (operations) => store.write(operations, { sync: false }));
  return instanceOf(genesis, version.root);
}

async function loadFrom(
  genesis: Genesis,
  stores: ChainOpening,
  instance: Instance,
  height: number,
  genesisView: ViewBlock,
): Promise<LoadedChain> {
  const { blockStore, viewStore, states } = stores;
  const place = { chain: instance.chain, instanceId: instance.instanceId, height };
  const stored = blockStore.getByHeight(place);
  const result = blockStore.getResult(place);
  invariant(stored !== undefined && result !== undefined, 'the newest committed block is stored with its result');
  const block = decoded(Block, stored.block);
  const certificates = decoded(BlockCertificates, stored.certificates);
  const record = decodeCommittedRecord(result);
  const version = states.committed();
  invariant(
    bytesToHex(version.root) === bytesToHex(record.commitment.stateRoot),
    'the committed state is that of the newest committed block',
  );
  const { timestampMs, baseFeePerGasWei } = block.header;
  const facts = { hash: stored.hash, height, timestampMs, baseFeePerGasWei, hasItems: block.body.transactions.length > 0 };
  const newest = { block: readView(viewStore, height, genesis), state: version };
  const visible = visibleBefore(newest, genesisView, stores, genesis);
  const [commitCertificate] = certificates.commitCertificate;
  const proof = commitCertificate === undefined ? undefined : { commitCertificate, quorumCertificate: certificates.quorumCertificate };
  const pending = await loadPending(stores, instance, height);
  return {
    instance,
    committed: { hash: stored.hash, facts, commitment: record.commitment, version, seed: record.point.seed },
    engineStart: { committed: { point: record.point, proof }, closed: undefined, storedBlocks: pending.map(({ engine }) => engine) },
    pending: pending.map(({ block: pendingBlock }) => pendingBlock),
    visible,
    newest,
  };
}

function visibleBefore(newest: ViewTip, genesisView: ViewBlock, { viewStore, states }: ChainStores, genesis: Genesis): ViewTip {
  const number = newest.block.header.number - 1;
  const block = number <= 0 ? genesisView : readView(viewStore, number, genesis);
  const state = states.at(block.header.number);
  invariant(state !== undefined, 'the state before the newest is not pruned');
  return { block, state };
}

async function loadPending(
  { blockStore, vrf }: ChainOpening,
  instance: Instance,
  committedHeight: number,
): Promise<readonly { readonly engine: EngineBlock; readonly block: Block }[]> {
  const rows = await blockStore.readPending(instance.chain, instance.instanceId);
  return rows
    .filter(({ height }) => height > committedHeight)
    .map(({ hash, block: bytes }) => {
      const block = decoded(Block, bytes);
      return { engine: { hash, header: block.header, vrfOutput: vrf.output(block.header.vrfProof), role: 'ordinary' as const }, block };
    })
    .sort(({ engine: a }, { engine: b }) => byHeightAndRound(a.header, b.header) || compareBytes(a.hash, b.hash));
}

// Parents come first: a carrier is at the height of its parent, and of a later round.
function byHeightAndRound(a: BlockHeader, b: BlockHeader): number {
  return a.height - b.height || a.round - b.round;
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

function decoded<T>(type: Parameters<typeof decodeCanonical<T>>[0], bytes: Uint8Array): T {
  const verdict = decodeCanonical(type, bytes);
  invariant(verdict.ok, 'a stored value decodes');
  return verdict.value;
}
