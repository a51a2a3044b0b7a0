// The composition of a node from its ports: everything that runs the same in production and in the simulator. Adapters (libp2p,
// LevelDB, the clock, worker threads) are chosen by the caller: start-node.ts in production, the simulator in virtual time.
import { stateHeightOf } from '../core/beacon/anchoring.ts';
import { beaconConstantsOf } from '../core/beacon/constants.ts';
import { isFirstOfEpoch } from '../core/beacon/epochs.ts';
import { instanceOfRecord } from '../core/beacon/instance.ts';
import type { BeaconState } from '../core/beacon/state.ts';
import type { BlsScheme } from '../core/crypto/bls.ts';
import type { Secp256k1 } from '../core/crypto/secp256k1.ts';
import type { VrfScheme } from '../core/crypto/vrf.ts';
import { createOwnLoopExecutor } from '../core/execution/evm/own-loop-executor.ts';
import { Mempool } from '../core/mempool/pool.ts';
import { placementOfFamily } from '../core/messaging/placement.ts';
import { bytesEqual } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import { type Address, BEACON_CHAIN, type ChainId, type ValidatorIndex } from '../core/primitives/ids.ts';
import type { Instance } from '../core/protocol/committee.ts';
import { type Genesis, genesisRoot, withoutAccounts } from '../core/protocol/genesis.ts';
import { shardOfPlacement } from '../core/protocol/shard-id.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import type { Network, PeerName } from '../network/ports.ts';
import { topicName } from '../network/topics.ts';
import { BeaconWindow } from '../runtime/beacon-window.ts';
import { EvidenceArchive } from '../runtime/evidence-archive.ts';
import type { KeptEvidence } from '../runtime/evidence-keeper.ts';
import { InFlight } from '../runtime/in-flight.ts';
import { InstanceSwitch } from '../runtime/instance-switch.ts';
import type { Clock, Logger, Metrics } from '../runtime/ports.ts';
import type { SignatureVerifier } from '../runtime/signature-verifier.ts';
import type { ValidatorSecrets } from '../runtime/signer.ts';
import { TransactionCourier } from '../runtime/transaction-courier.ts';
import { TransactionDirectory } from '../runtime/transaction-directory.ts';
import { TransactionPool } from '../runtime/transaction-pool.ts';
import { TransactionRouter } from '../runtime/transaction-router.ts';
import { VerifiedClaims } from '../runtime/verified-claims.ts';
import { ViewChain } from '../runtime/view-chain.ts';
import { ViewMaker } from '../runtime/view-maker.ts';
import type { FileStore } from '../storage/file-store.ts';
import type { KeyValueStore } from '../storage/key-value-store.ts';
import { serveBlocks } from '../sync/block-server.ts';
import { EndAnswers, endedSourceOf } from '../sync/ended-instances.ts';
import { beginTogether } from './begin-together.ts';
import { CommitNews } from './commit-news.ts';
import { Beacon } from './create-beacon.ts';
import type { Chain } from './create-chain.ts';
import { type NewestState, Shards } from './create-shards.ts';
import { CrosslinkExchange } from './crosslink-exchange.ts';
import { EpochPace } from './epoch-pace.ts';
import type { Follow } from './followed-shards.ts';
import { rootOfShardIn, writeGenesisShards } from './genesis-shards.ts';
import { genesisStakeWei, writeGenesisView } from './genesis-view.ts';
import type { ChainProgress } from './health.ts';
import { measureNetwork } from './measure-network.ts';
import { mempoolShareOf } from './mempool-share.ts';
import { refuseMissingBlocks, refuseMissingViews, refusePartialView } from './missing-block.ts';
import { storesIn } from './node-stores.ts';
import { SigningRecords } from './signing-records.ts';
import { openValidatorAddresses } from './validator-addresses.ts';

/** A block that buys this share of the gas that it may is full: a large transaction may not have fitted any more. */
const FULL_BLOCK_SHARE = 0.9;

/** What a node stands on. */
export interface NodePorts {
  readonly network: Network;
  readonly store: KeyValueStore;
  /** Of the signing records. */
  readonly files: FileStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly bls: BlsScheme;
  readonly vrf: VrfScheme;
  readonly secp256k1: Secp256k1;
  readonly verifier: SignatureVerifier;
  /** Lets the host's event loop live during long executions; absent in virtual time. */
  readonly pause: (() => Promise<void>) | undefined;
  /** Peer name of each validator, by validator index. */
  readonly validatorPeers: readonly PeerName[];
  /** Multiaddresses at which others reach this node, without its peer id; none where nobody has to be told. */
  readonly ownAddresses: readonly string[];
}

/** Who a node is, in which network. */
export interface NodeIdentity {
  readonly genesis: Genesis;
  /** Undefined for a node that only follows. */
  readonly secrets: ValidatorSecrets | undefined;
  /** How many blocks before the newest keep their state; infinite for an archive. */
  readonly stateBlocks: number;
  readonly follow: Follow;
  /** A chain must stop: the process too. */
  readonly onFault: (fault: unknown) => void;
}

/** A composed node. */
export interface Node {
  readonly beacon: Beacon;
  readonly shards: Shards;
  /** The committed beacon. */
  readonly window: BeaconWindow;
  /** What clients see; undefined for a node that does not follow all shards. */
  readonly view: ViewChain | undefined;
  readonly crosslinks: CrosslinkExchange;
  readonly transactions: TransactionRouter;
  readonly inFlight: InFlight;
  readonly evidence: EvidenceArchive;
  start(): void;
  stop(): Promise<void>;
  progress(): readonly ChainProgress[];
  onPendingTransaction(listener: (transaction: Transaction) => void): () => void;
  /** Measures what is not counted as it happens. */
  refreshMetrics(): void;
}

/** See the file's head. */
export async function createNode(ports: NodePorts, identity: NodeIdentity): Promise<Node> {
  const { network, clock, files, logger, metrics, store } = ports;
  const { secrets, stateBlocks, follow, onFault } = identity;
  const stores = storesIn(store);
  const { blockStore, beaconStore, viewStore } = stores;
  const isNew = beaconStore.getRecord() === undefined;
  const rootOf = rootOfShardIn(isNew ? await writeGenesisShards(identity.genesis, store) : new Map());
  const genesis = withoutAccounts(identity.genesis);
  const { parameters } = genesis;
  if (isNew && follow === 'all') await writeGenesisView(genesis, rootOf, { store, viewStore });
  const directory = new TransactionDirectory(ports.verifier, parameters.evmChainId);
  const topicOf = (shard: ChainId): string => topicName(genesisRoot(genesis), shard, 'transactions');
  const courier = new TransactionCourier({ ...ports, parameters, topicOf, pubSub: network.pubSub });
  const transactions = new TransactionRouter(directory, metrics, (transaction) => courier.carry(transaction, shardOf(transaction.sender)));
  const inFlight = new InFlight();
  const pendingListeners = new Set<(transaction: Transaction) => void>();
  const endAnswers = new EndAnswers({ network, blockStore, clock, logger });
  const instances = new InstanceSwitch({
    network,
    metrics,
    onUnknownInstance: (instanceId, from) => endAnswers.answer(instanceId, from),
    onFault,
  });
  const self: ValidatorIndex | undefined = secrets?.validator;
  const constants = beaconConstantsOf(genesis);
  let archive: EvidenceArchive | undefined;
  const onEvidence = (instance: Instance, kept: KeptEvidence): void => {
    archive?.add(instance, kept);
    onBeaconNews();
  };
  const signingRecords = await SigningRecords.open(files, secrets !== undefined);
  const claims = new VerifiedClaims(ports.verifier);
  const shared = { ...ports, ...stores, self, secrets, signingRecords, instances, claims, onEvidence, onFault };
  const news = new CommitNews({ clock, logger, metrics });
  /** Whose newest block was as good as full; a shard that ends does so with an empty one. */
  const fullShards = new Set<ChainId>();
  let shards: Shards | undefined;
  let crosslinks: CrosslinkExchange | undefined;
  let window: BeaconWindow | undefined;
  let view: ViewChain | undefined;
  let maker: ViewMaker | undefined;
  let onBeaconNews = (): void => undefined;
  const awaitedOn = (state: BeaconState) => [shards?.awaitedOn(state), crosslinks?.awaitedOn(state)];
  const pace = new EpochPace({
    instances: () => beacon.state.instances,
    heights: () => new Map([...(shards?.chains.keys() ?? [])].map((shard) => [shard, shards?.statesOf(shard).committed().height ?? 0])),
    clock,
    epochMs: parameters.epochBlocks * parameters.beaconBlockIntervalMsMin,
    logger,
  });
  const beacon: Beacon = await Beacon.open({
    ...shared,
    pace,
    genesis,
    genesisRootOf: rootOf,
    operations: {
      isWanted: (state) => awaitedOn(state).some((awaited) => awaited !== undefined) || (archive?.operationsOn(state).length ?? 0) > 0,
      hasEnded: (state) => awaitedOn(state).includes('end'),
      areShardsFull: () => 2 * fullShards.size > (shards?.chains.size ?? 0),
      onNews: (listener) => {
        onBeaconNews = listener;
      },
      collect: async (state) => ({
        crosslinks: (await crosslinks?.collect(state)) ?? [],
        evidence: [...(archive?.operationsOn(state) ?? [])],
      }),
    },
    rowsOf: (outcome) => (follow === 'all' ? makerOf(maker).rowsOfBeacon(outcome) : []),
    onCommitted: (outcome) => {
      news.ofBeacon(outcome, beacon.chain.instance);
      window?.extend(outcome);
      shards?.onBeacon(outcome);
      if (shards !== undefined) news.follows(shards.followed);
      crosslinks?.onBeacon(outcome.state);
      if (isFirstOfEpoch(outcome.facts.height, parameters)) giveUpOldRecords(outcome.state);
      maker?.advance();
    },
  });
  if (follow === 'all') {
    refusePartialView(stores, beacon.state);
    await refuseMissingViews(stores);
  }
  refuseMissingBlocks(stores, beacon.state);
  const known = beacon.state.instances.map(({ record }) => instanceOfRecord(constants, beacon.state, record));
  const evidence = await EvidenceArchive.open(constants, stores.evidenceStore, [...known, beacon.chain.instance]);
  archive = evidence;
  window = await BeaconWindow.open({ parameters, beaconStore }, beacon.state);
  const running = await openShards();
  shards = running;
  const exchange = new CrosslinkExchange({
    ...shared,
    constants,
    window,
    follow,
    outboxAt: (shard, height) => running.bundles.summaryAt(shard, height),
    onNews: () => onBeaconNews(),
  });
  crosslinks = exchange;
  if (follow === 'all') await openView(running);
  const addresses = await openValidatorAddresses({
    ...shared,
    genesis,
    validators: () => beacon.state.validators,
    peerOf: (validator) => ports.validatorPeers[validator],
  });
  const made = maker;
  const chains = (): readonly Chain[] => [beacon.chain, ...running.chains.values()];
  serveBlocks(
    network.request,
    (instanceId) =>
      chains()
        .map(({ blockSource }) => blockSource)
        .find((source) => bytesEqual(source.instanceId, instanceId)) ?? endedSourceOf(blockStore, instanceId),
    (peer, reason) => network.peers.misbehaved(peer, reason, 10),
  );
  return {
    beacon,
    shards: running,
    window,
    view,
    crosslinks: exchange,
    transactions,
    inFlight,
    evidence,
    start: () => {
      const { peers } = network;
      addresses.start();
      beginTogether({ peers, clock, validatorCount: ports.validatorPeers.length, waitMsMax: parameters.roundTimeoutMs }, () => {
        exchange.start();
        beacon.start();
        running.start();
        made?.advance();
      });
    },
    stop: async () => {
      addresses.stop();
      exchange.stop();
      await beacon.stop();
      await running.stop();
      await made?.stop();
      await signingRecords.settled();
    },
    progress: () => [
      news.progressOf(BEACON_CHAIN, beacon.chain, beacon.state.height, finalHeightOf(BEACON_CHAIN)),
      ...[...running.followed].map((shard) =>
        news.progressOf(shard, running.chains.get(shard), running.statesOf(shard).committed().height, finalHeightOf(shard)),
      ),
    ],
    onPendingTransaction: (listener) => {
      pendingListeners.add(listener);
      return () => pendingListeners.delete(listener);
    },
    refreshMetrics: () => {
      for (const chain of chains()) news.measure(chain);
      for (const shard of running.chains.keys())
        metrics.gauge('coppice_state_oldest_height', running.statesOf(shard).oldest(), { chain: String(shard) });
      metrics.gauge('coppice_finalized_height', finalHeightOf(BEACON_CHAIN));
      metrics.gauge('coppice_mempool_transactions', transactions.size.transactions);
      metrics.gauge('coppice_mempool_bytes', transactions.size.bytes);
      metrics.gauge('coppice_transactions_in_flight', inFlight.size);
      metrics.gauge('coppice_crosslinks_kept_bytes', exchange.keptBytes);
      metrics.gauge('coppice_bundles_memory_bytes', running.bundles.memoryBytes);
      measureNetwork(ports);
    },
  };

  // What the beacon has forgotten can be held against nobody.
  function giveUpOldRecords(state: BeaconState): void {
    const oldest = Math.min(...state.instances.map(({ record }) => record.epoch));
    const running = [beacon.chain, ...(shards?.chains.values() ?? [])].map(({ instance }) => instance);
    signingRecords.forgetBefore(oldest, running).catch(onFault);
  }

  function openShards(): Promise<Shards> {
    invariant(window !== undefined, 'the beacon is opened before the shards');
    return Shards.open({
      ...shared,
      parameters,
      constants,
      window,
      directory,
      createExecutor: () => createOwnLoopExecutor(parameters.evmChainId, ports.secp256k1),
      stateBlocks,
      follow,
      neededFrom: (shard) => finalHeightOf(shard) - 1,
      transactionsOf: openPool,
      onLeft: (shard) => {
        transactions.remove(shard);
        fullShards.delete(shard);
      },
      rowsOf: (shard, { facts, result }) => (follow === 'all' ? makerOf(maker).rowsOfExecution(shard, facts.height, result) : []),
      onCommitted: (shard, outcome) => {
        news.ofShard(shard, outcome, running.chains.get(shard)?.instance);
        if (outcome.block.header.gasBought >= FULL_BLOCK_SHARE * parameters.blockGasLimit) fullShards.add(shard);
        else fullShards.delete(shard);
        maker?.advance();
        onBeaconNews();
        pace.advanced(shard);
      },
      onVoid: (shard, { height, transactions: voided }) => {
        maker?.voided(shard, height, voided);
        maker?.advance();
      },
      shownHeight: () => finalHeightOf(BEACON_CHAIN),
    });
  }

  async function openView(running: Shards): Promise<void> {
    view = ViewChain.open({
      viewStore,
      stateAt: (shard, height) => running.statesOf(shard).at(height),
      evmChainId: parameters.evmChainId,
    });
    const shown = view;
    shown.onHead(({ header }) =>
      news.ofView(
        new Map([[BEACON_CHAIN, header.number], ...[...shown.head.world.versions].map(([shard, { height }]) => [shard, height] as const)]),
      ),
    );
    maker = new ViewMaker({
      store,
      viewStore,
      view,
      inFlight,
      parameters,
      genesisStakeWei: genesisStakeWei(genesis),
      committedHeight: (shard) => running.statesOf(shard).committed().height,
      hasCommitted: (hash) => blockStore.has(hash),
      onFault,
    });
    await maker.restore();
  }

  // Of the beacon what clients see; of a shard the execution whose state they read. Without a view, what is anchored.
  function finalHeightOf(chain: ChainId): number {
    if (view !== undefined)
      return chain === BEACON_CHAIN ? view.head.block.header.number : (view.head.world.versions.get(chain)?.height ?? 0);
    if (chain === BEACON_CHAIN) return beacon.state.height;
    const entry = beacon.state.records.find(({ record }) => record.shard === chain);
    return entry === undefined ? 0 : stateHeightOf(entry);
  }

  // The layout is the whole tree, so each sender has a shard.
  function shardOf(sender: Address): ChainId {
    const shard = shardOfPlacement(new Set(beacon.state.records.map(({ record }) => record.shard)), placementOfFamily(sender));
    invariant(shard !== undefined, 'the records in force are the whole tree');
    return shard;
  }

  function openPool(shard: ChainId, newest: NewestState): TransactionPool {
    const mempool = new Mempool(mempoolShareOf(parameters, genesis.layout.length));
    const pool = new TransactionPool(
      {
        shard,
        pool: mempool,
        directory,
        pubSub: network.pubSub,
        topic: topicOf(shard),
        clock,
        logger,
        metrics,
        isMeshFull: () => network.peers.connected().length >= ports.validatorPeers.length - 1,
        onPending: (transaction) => {
          for (const listener of pendingListeners) listener(transaction);
        },
      },
      newest.version,
    );
    mempool.onBlock([], newest.baseFeePerGasWei);
    transactions.add(shard, { pool, mempool });
    return pool;
  }
}

function makerOf(maker: ViewMaker | undefined): ViewMaker {
  invariant(maker !== undefined, 'nothing is committed before all is open');
  return maker;
}
