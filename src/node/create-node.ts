// The composition of a node from its ports: everything that runs the same in production and in the simulator. Adapters (libp2p,
// LevelDB, the clock, worker threads) are chosen by the caller: start-node.ts in production, the simulator in virtual time.
import type { BlsScheme } from '../core/crypto/bls.ts';
import type { Secp256k1 } from '../core/crypto/secp256k1.ts';
import type { VrfScheme } from '../core/crypto/vrf.ts';
import { createOwnLoopExecutor } from '../core/execution/evm/own-loop-executor.ts';
import { Mempool } from '../core/mempool/pool.ts';
import { bytesEqual } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { ChainId, TimestampMs, ValidatorIndex } from '../core/primitives/ids.ts';
import { type Genesis, genesisRoot } from '../core/protocol/genesis.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import type { StateDatabase } from '../core/state/state-version.ts';
import type { Network, PeerName } from '../network/ports.ts';
import { topicName } from '../network/topics.ts';
import { InstanceSwitch } from '../runtime/instance-switch.ts';
import type { Clock, Logger, Metrics } from '../runtime/ports.ts';
import type { CommittedBlock } from '../runtime/shard-commits.ts';
import type { SignatureVerifier } from '../runtime/signature-verifier.ts';
import type { ValidatorSecrets } from '../runtime/signer.ts';
import { TransactionDirectory } from '../runtime/transaction-directory.ts';
import { TransactionPool } from '../runtime/transaction-pool.ts';
import { ViewChain } from '../runtime/view-chain.ts';
import type { BlockStore } from '../storage/block-store.ts';
import type { FileStore } from '../storage/file-store.ts';
import type { KeyValueStore } from '../storage/key-value-store.ts';
import type { ViewStore } from '../storage/view-store.ts';
import { serveBlocks } from '../sync/block-server.ts';
import { beginTogether } from './begin-together.ts';
import { loadChain } from './chain-storage.ts';
import type { Chain } from './create-chain.ts';
import { createShard, type ShardChain } from './create-shard.ts';
import type { ChainProgress } from './health.ts';
import { openOwnSigningRecord } from './own-signing-record.ts';

/** Chains that one node runs at once: the beacon and its shards. One until there is a beacon. */
const CHAINS_MAX = 1;

/** What a node stands on. */
export interface NodePorts {
  readonly network: Network;
  readonly store: KeyValueStore;
  readonly blockStore: BlockStore;
  readonly viewStore: ViewStore;
  readonly states: StateDatabase;
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
}

/** Who a node is, in which network. */
export interface NodeIdentity {
  readonly genesis: Genesis;
  /** Undefined for a node that only follows. */
  readonly secrets: ValidatorSecrets | undefined;
  /** How many blocks before the newest keep their state; infinite for an archive. */
  readonly stateBlocks: number;
  /** The chain must stop: the process too. */
  readonly onFault: (fault: unknown) => void;
}

/** A composed node. */
export interface Node {
  readonly pool: TransactionPool;
  readonly mempool: Mempool;
  readonly view: ViewChain;
  readonly states: StateDatabase;
  readonly chain: ShardChain;
  start(): void;
  stop(): Promise<void>;
  progress(): readonly ChainProgress[];
  onPendingTransaction(listener: (transaction: Transaction) => void): () => void;
  /** Measures what is not counted as it happens. */
  refreshMetrics(): void;
}

/** See the file's head. */
export async function createNode(ports: NodePorts, identity: NodeIdentity): Promise<Node> {
  const { network, clock, logger, metrics, states } = ports;
  const { genesis, secrets, stateBlocks, onFault } = identity;
  const { parameters } = genesis;
  const loaded = await loadChain(genesis, ports);
  const { instance } = loaded;
  const view = new ViewChain(ports.viewStore, states, parameters.evmChainId, loaded.visible, loaded.newest);
  const directory = new TransactionDirectory(ports.verifier, parameters.evmChainId);
  const pendingListeners = new Set<(transaction: Transaction) => void>();
  const mempool = new Mempool(parameters);
  const pool = new TransactionPool(
    {
      pool: mempool,
      directory,
      pubSub: network.pubSub,
      topic: topicName(genesisRoot(genesis), instance.chain, 'transactions'),
      clock,
      logger,
      metrics,
      isMeshFull: () => network.peers.connected().length >= ports.validatorPeers.length - 1,
      onPending: (transaction) => {
        for (const listener of pendingListeners) listener(transaction);
      },
    },
    loaded.committed.version,
  );
  mempool.onBlock([], loaded.committed.facts.baseFeePerGasWei);
  const self: ValidatorIndex | undefined = secrets?.validator;
  const signingRecord = await openOwnSigningRecord(ports.files, loaded, secrets !== undefined);
  let lastCommitMs: TimestampMs = clock.nowMs();
  const onCommitted = ({ outcome, viewBlock }: CommittedBlock): void => {
    lastCommitMs = clock.nowMs();
    const { block } = outcome.executed;
    pool.onCommitted(block, outcome.version, outcome.facts.baseFeePerGasWei);
    view.extend({ block: viewBlock, state: outcome.version });
    const labels = { chain: String(instance.chain) };
    const { height, round, timestampMs, gasBought } = block.header;
    metrics.gauge('coppice_committed_height', height, labels);
    metrics.gauge('coppice_finalized_height', view.head.block.header.number);
    metrics.gauge('coppice_last_commit_timestamp_seconds', lastCommitMs / 1000, labels);
    metrics.gauge('coppice_block_gas_bought', gasBought, labels);
    metrics.gauge('coppice_block_transactions', block.transactions.length, labels);
    metrics.gauge('coppice_base_fee_wei', Number(outcome.facts.baseFeePerGasWei), labels);
    metrics.count('coppice_transactions_committed_total', labels, block.transactions.length);
    metrics.observe('coppice_commit_latency_seconds', Math.max(0, lastCommitMs - timestampMs) / 1000, labels);
    logger.debug(
      { chain: instance.chain, epoch: instance.epoch, height, round, hash: block.hashHex, transactions: block.transactions.length },
      'block committed',
    );
  };
  const chain = await createShard({
    ...ports,
    parameters,
    loaded,
    self,
    secrets,
    directory,
    evm: createOwnLoopExecutor(parameters.evmChainId, ports.secp256k1),
    transactions: pool,
    signingRecord,
    instances: new InstanceSwitch({ network, metrics, onFault }),
    lastViewBlock: loaded.newest.block,
    stateBlocks,
    onCommitted,
    onFault,
  });
  const chains: ReadonlyMap<ChainId, Chain> = new Map([[instance.chain, chain]]);
  invariant(chains.size <= CHAINS_MAX, 'a node runs a bounded number of chains');
  serveBlocks(
    network.request,
    (instanceId) => [...chains.values()].map(({ blockSource }) => blockSource).find((source) => bytesEqual(source.instanceId, instanceId)),
    (peer, reason) => network.peers.misbehaved(peer, reason, 10),
  );
  return {
    pool,
    mempool,
    view,
    states,
    chain,
    start: () => {
      const { peers } = network;
      beginTogether({ peers, clock, validatorCount: ports.validatorPeers.length, waitMsMax: parameters.roundTimeoutMs }, () => {
        for (const { runner } of chains.values()) runner.start();
      });
    },
    stop: async () => {
      for (const running of chains.values()) await running.stop();
      await signingRecord.close();
    },
    progress: () =>
      [...chains.values()].map(({ instance: { chain: id }, blocks, runner, catchUp }) => ({
        chain: id,
        committedHeight: blocks.committed.facts.height,
        finalizedHeight: view.head.block.header.number,
        round: runner.state.round,
        lastCommitMs,
        catchingUpTo: catchUp.targetHeight,
      })),
    onPendingTransaction: (listener) => {
      pendingListeners.add(listener);
      return () => pendingListeners.delete(listener);
    },
    refreshMetrics: () => {
      for (const running of chains.values()) refreshMetrics(ports, running, mempool);
    },
  };
}

function refreshMetrics({ network, metrics, states }: NodePorts, chain: Chain, mempool: Mempool): void {
  const labels = { chain: String(chain.instance.chain) };
  metrics.gauge('coppice_round', chain.runner.state.round, labels);
  metrics.gauge('coppice_blocks_held', chain.blocks.size, labels);
  metrics.gauge('coppice_mailbox_events', chain.runner.mailboxLength, labels);
  metrics.gauge('coppice_commits_waiting', chain.commits.waiting, labels);
  metrics.gauge('coppice_evidence_kept', chain.evidence.list().length, labels);
  metrics.gauge('coppice_state_oldest_height', states.oldest(), labels);
  metrics.gauge('coppice_mempool_transactions', mempool.size.transactions);
  metrics.gauge('coppice_mempool_bytes', mempool.size.bytes);
  const stats = network.stats();
  metrics.gauge('coppice_peers_connected', stats.peersConnected);
  metrics.gauge('coppice_network_received_bytes', stats.bytesIn);
  metrics.gauge('coppice_network_sent_bytes', stats.bytesOut);
  metrics.gauge('coppice_network_send_queue_bytes', stats.sendQueueBytes);
  for (const [reason, count] of Object.entries(stats.refused)) metrics.gauge('coppice_network_refused', count, { reason });
  for (const [reason, count] of Object.entries(stats.misbehaviour)) metrics.gauge('coppice_network_misbehaviour', count, { reason });
}
