// From a data directory and a configuration to a running node: the only place that names concrete classes. Whatever is wrong before
// the node runs (a locked or foreign folder, a genesis that does not match, a port in use, missing keys) is one typed error, and
// nothing is overwritten.
import { join } from 'node:path';
import { initialiseKeccak } from '../core/crypto/keccak.ts';
import { bytesEqual } from '../core/primitives/bytes.ts';
import { CoppiceError } from '../core/primitives/errors.ts';
import { BEACON_CHAIN } from '../core/primitives/ids.ts';
import { type Genesis, genesisRoot } from '../core/protocol/genesis.ts';
import type { Libp2pNetwork } from '../network/host.ts';
import { peerNameOfPublicKey } from '../network/peer-name.ts';
import { TOPIC_KINDS, topicName, topicPrefix } from '../network/topics.ts';
import type { RpcServer } from '../rpc/server.ts';
import { systemClock, systemRandom } from '../runtime/clock.ts';
import { type CryptoSelection, selectCrypto } from '../runtime/native/select-crypto.ts';
import { installHashtree } from '../runtime/native/ssz-hashtree.ts';
import type { Logger } from '../runtime/ports.ts';
import { createSignatureVerifier } from '../runtime/signature-verifier.ts';
import { type DataDirectory, dataDirectoryAt, lockDataDirectory } from '../storage/data-directory.ts';
import { forgetLog, keepLog } from '../storage/kept-log.ts';
import { openLevelStore } from '../storage/level-store.ts';
import { createNodeFileStore } from '../storage/node-file-store.ts';
import { collectGarbage } from './collect-garbage.ts';
import type { NodeConfig } from './config.ts';
import type { Node } from './create-node.ts';
import { readGenesisFile } from './genesis-file.ts';
import { createLogger } from './logger.ts';
import type { createMetrics } from './metrics.ts';
import { announcedAddresses, parsePeerAddress } from './peer-address.ts';
import { claimSigningFolder } from './signing-owner.ts';
import { readValidatorKeys } from './validator-seed.ts';

/** Signature checks stay on the main thread: with fewer cores than validators, threads only add their cost. */
const VERIFIER_WORKERS = 0;
/** Reading a genesis with so many accounts leaves garbage that is worth a collection: of 100,000, 200 to 300 MB. */
const LARGE_GENESIS_ACCOUNTS = 10_000;

/** What a node is started from. */
export interface StartNodeOptions {
  readonly dataDirectory: string;
  readonly config: NodeConfig;
}

/** A node that runs. */
export interface RunningNode {
  readonly rpcUrl: string;
  stop(): Promise<void>;
  /** Resolves when the node cannot go on. */
  readonly failed: Promise<Error>;
}

/** Starts a node; it serves RPC and takes part in consensus when this resolves. */
export async function startNode({ dataDirectory, config }: StartNodeOptions): Promise<RunningNode> {
  const paths = dataDirectoryAt(dataDirectory);
  const opened: (() => Promise<void> | void)[] = [];
  try {
    const { hasLargeGenesis, start } = await openNode(paths, config, opened);
    // Now: until it was all opened, somebody still had the genesis in hand.
    if (hasLargeGenesis) collectGarbage();
    return start();
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

type Closers = (() => Promise<void> | void)[];

/** A node that is ready to begin. */
interface OpenedNode {
  readonly hasLargeGenesis: boolean;
  readonly start: () => RunningNode;
}

async function openNode(paths: DataDirectory, config: NodeConfig, opened: Closers): Promise<OpenedNode> {
  const hashtree = await installHashtree({ disableNative: config.portableCrypto });
  await initialiseKeccak();
  const crypto = selectCrypto({ disableNative: config.portableCrypto });
  const lock = lockDataDirectory(paths);
  opened.push(() => lock.release());
  const genesis = readGenesisFile(paths.genesisFile, crypto.bls);
  const keys = ownKeys(paths, genesis, crypto);
  const logger = createLogger({ level: config.log.level, file: join(paths.logFolder, 'node.log'), base: { validator: keys.validator } });
  logger.info({ ...crypto.describe, sszHasher: hashtree, node: process.version }, 'cryptography in use');
  keepLog(paths.databaseFolder, paths.keptLogFolder);
  const store = await openLevelStore(paths.databaseFolder, genesisRoot(genesis));
  opened.push(() => store.close());
  // Loaded only here, as the network, JSON-RPC and its server below: two thirds of a start, which a folder that is refused does without.
  const [{ createMetrics }, { createNode }] = await Promise.all([import('./metrics.ts'), import('./create-node.ts')]);
  const metrics = createMetrics({ withProcess: true });
  const network = await openNetwork(config, genesis, keys.peerSeed, logger);
  opened.push(() => network.close());
  const verifier = createSignatureVerifier({ workerCount: VERIFIER_WORKERS, disableNative: config.portableCrypto });
  opened.push(() => verifier.close());
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  const onFault = (fault: unknown): void => {
    logger.error({ error: String(fault), stack: fault instanceof Error ? fault.stack : undefined }, 'the node cannot go on');
    fail(fault instanceof Error ? fault : new Error(String(fault)));
  };
  const files = createNodeFileStore(paths.signingFolder);
  const node = await createNode(
    {
      network,
      store,
      files,
      clock: systemClock,
      logger,
      metrics,
      bls: crypto.bls,
      vrf: crypto.vrf,
      secp256k1: crypto.secp256k1,
      verifier,
      pause: () => new Promise((resolve) => setImmediate(resolve)),
      validatorPeers: genesis.validators.map(({ peerKey }) => peerNameOfPublicKey(peerKey)),
      ownAddresses: announcedAddresses(config.p2p.announce, config.p2p.host, network.listenPort),
    },
    { genesis, secrets: keys, stateBlocks: stateBlocksOf(config, genesis), follow: config.follow, onFault },
  );
  opened.push(() => node.stop());
  forgetLog(paths.keptLogFolder);
  await claimSigningFolder(files, paths.signingFolder, keys.blsPublicKey);
  const rpc = await openRpc(config, node, genesis, network, crypto, logger, metrics);
  opened.push(() => rpc.close());
  await openMetrics(config, node, genesis, network, metrics, opened);
  const start = (): RunningNode => {
    node.start();
    logger.info({ rpc: rpc.url, p2pPort: network.listenPort, peer: network.self }, 'node started');
    return { rpcUrl: rpc.url, failed, stop: () => closeAll(opened) };
  };
  return { hasLargeGenesis: genesis.accounts.length >= LARGE_GENESIS_ACCOUNTS, start };
}

function stateBlocksOf({ history }: NodeConfig, { parameters }: Genesis): number {
  return history.mode === 'archive' ? Number.POSITIVE_INFINITY : (history.stateBlocks ?? parameters.fullHistoryBlocks);
}

// Last opened, first closed; one that fails does not keep the others open.
async function closeAll(opened: Closers): Promise<void> {
  for (let close = opened.pop(); close !== undefined; close = opened.pop()) {
    try {
      await close();
    } catch (error) {
      process.stderr.write(`while stopping: ${String(error)}\n`);
    }
  }
}

interface NodeKeys {
  readonly validator: number;
  readonly blsPublicKey: Uint8Array;
  readonly blsSecretKey: Uint8Array;
  readonly vrfSeed: Uint8Array;
  readonly peerSeed: Uint8Array;
}

function ownKeys(paths: DataDirectory, genesis: Genesis, { bls }: CryptoSelection): NodeKeys {
  const { blsSecretKey, vrfSeed, peerSeed } = readValidatorKeys(paths);
  const ownPublicKey = bls.publicKeyOf(blsSecretKey);
  const validator = genesis.validators.findIndex(({ blsPublicKey }) => bytesEqual(blsPublicKey, ownPublicKey));
  if (validator < 0)
    throw new CoppiceError('keys/foreign', { path: paths.seedFile, detail: 'no validator of genesis.json has these keys' });
  return { validator, blsPublicKey: ownPublicKey, blsSecretKey, vrfSeed, peerSeed };
}

async function openNetwork(config: NodeConfig, genesis: Genesis, peerSeed: Uint8Array, logger: Logger): Promise<Libp2pNetwork> {
  const root = genesisRoot(genesis);
  const { host, port } = config.p2p;
  const { createLibp2pNetwork } = await import('../network/host.ts');
  try {
    return await createLibp2pNetwork({
      peerSeed,
      listenAddress: { host, port },
      peers: config.p2p.peers.map(parsePeerAddress),
      committeePeers: genesis.validators.map(({ peerKey }) => peerNameOfPublicKey(peerKey)),
      networkPrefix: topicPrefix(root),
      allowedTopics: [BEACON_CHAIN, ...genesis.layout].flatMap((chain) => TOPIC_KINDS.map((kind) => topicName(root, chain, kind))),
      timing: systemClock,
      random: systemRandom.next,
      log: (level, message, facts) => logger[level](facts, message),
    });
  } catch (error) {
    throw new CoppiceError('node/cannot-listen', { service: 'p2p', host, port, detail: String(error) }, { cause: error });
  }
}

async function openRpc(
  config: NodeConfig,
  node: Node,
  genesis: Genesis,
  network: Libp2pNetwork,
  { secp256k1 }: CryptoSelection,
  logger: Logger,
  metrics: ReturnType<typeof createMetrics>,
): Promise<RpcServer> {
  const { host, port } = config.rpc;
  const [{ createRpcServer }, { createRpcPorts }] = await Promise.all([import('../rpc/server.ts'), import('./rpc-ports.ts')]);
  try {
    return await createRpcServer({
      ports: createRpcPorts({ node, genesis, network, secp256k1, clock: systemClock }),
      host,
      port,
      onRequest: (method, code, durationMs) => {
        metrics.count('coppice_rpc_requests_total', { method, outcome: code === 0 ? 'ok' : String(code) });
        metrics.observe('coppice_rpc_request_seconds', durationMs / 1000, { method });
      },
      onFault: (method, fault) => logger.error({ method, error: String(fault) }, 'a request failed'),
    });
  } catch (error) {
    throw new CoppiceError('node/cannot-listen', { service: 'rpc', host, port, detail: String(error) }, { cause: error });
  }
}

async function openMetrics(
  config: NodeConfig,
  node: Node,
  genesis: Genesis,
  network: Libp2pNetwork,
  metrics: ReturnType<typeof createMetrics>,
  opened: Closers,
): Promise<void> {
  const { startMetricsServer } = await import('./metrics-server.ts');
  const server = await startMetricsServer({
    ...config.metrics,
    metrics,
    node,
    peers: network.peers,
    clock: systemClock,
    timing: genesis.parameters,
  });
  opened.push(() => server.close());
}
