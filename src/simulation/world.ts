// A world of whole nodes in one process: the production composition on a virtual clock, a memory network and memory disks. What
// happens in it is written to one event log; equal seeds give equal logs, byte for byte.
import { ed25519 } from '@noble/curves/ed25519.js';
import type { BlsScheme } from '../core/crypto/bls.ts';
import type { Secp256k1 } from '../core/crypto/secp256k1.ts';
import { sha256 } from '../core/crypto/sha256.ts';
import { deriveValidatorKeys, type ValidatorKeys } from '../core/crypto/validator-keys.ts';
import type { VrfScheme } from '../core/crypto/vrf.ts';
import { uint64ToBytes } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { TimestampMs } from '../core/primitives/ids.ts';
import { type Genesis, type GenesisAccount, possessionSigningRoot } from '../core/protocol/genesis.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import { createStateDatabase } from '../core/state/state-database.ts';
import type { Network, PeerName } from '../network/ports.ts';
import { createNode, type Node } from '../node/create-node.ts';
import type { Logger, Metrics } from '../runtime/ports.ts';
import { BatchingSignatureVerifier } from '../runtime/signature-verifier.ts';
import { ThreadWorkerPool } from '../runtime/worker-pool.ts';
import { createBlockStore } from '../storage/block-store.ts';
import { createMemoryFileStore } from '../storage/memory-file-store.ts';
import { createMemoryStore, type MemoryStore } from '../storage/memory-store.ts';
import { createViewStore } from '../storage/view-store.ts';
import { createMemoryNetwork, type MemoryNetwork } from './memory-network.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Lines of one event log. */
const EVENTS_MAX = 1_000_000;

/** What the nodes of a world sign and verify with: the real schemes, or stand-ins. */
export interface WorldCrypto {
  readonly bls: BlsScheme;
  readonly vrf: VrfScheme;
  readonly secp256k1: Secp256k1;
}

/** What a world is made of. */
export interface WorldOptions {
  readonly crypto: WorldCrypto;
  readonly seed: number;
  readonly nodes: number;
  readonly startMs: TimestampMs;
  readonly latencyMs: number;
  readonly lossShare: number;
  readonly parameters: NetworkParameters;
  readonly accounts: readonly GenesisAccount[];
  /** Names in the network without a node: whoever makes the world speaks for them. */
  readonly outsiders?: readonly PeerName[];
  /** Stands between a node and its network: a validator that lies, or an ear. */
  readonly interpose?: (name: PeerName, own: Network) => Network;
}

/** See the file's head. */
export interface World {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly nodes: readonly Node[];
  readonly genesis: Genesis;
  /** The secrets of each validator. */
  readonly keys: readonly ValidatorKeys[];
  /** The database of each node. */
  readonly stores: readonly MemoryStore[];
  /** Stops a node, and starts it on a database with the signing records that it had. */
  restart(index: number, store: MemoryStore): Promise<void>;
  /** One line an event: moment, node, what happened. */
  readonly eventLog: readonly string[];
  stop(): Promise<void>;
}

/** Makes the nodes and starts them. */
export async function createWorld(options: WorldOptions): Promise<World> {
  const { crypto } = options;
  const clock = new VirtualClock(options.startMs);
  const eventLog: string[] = [];
  const record = (line: string): void => {
    invariant(eventLog.length < EVENTS_MAX, 'an event log is bounded');
    eventLog.push(`${clock.nowMs()} ${line}`);
  };
  const names = Array.from({ length: options.nodes }, (_unused, index) => `node-${index}`);
  const keys = names.map((_name, index) => deriveValidatorKeys(sha256(uint64ToBytes(options.seed), uint64ToBytes(index))));
  const genesis = genesisOf(options, keys);
  const network = createMemoryNetwork({
    names: [...names, ...(options.outsiders ?? [])],
    seed: options.seed,
    clock,
    latencyMs: options.latencyMs,
    lossShare: options.lossShare,
  });
  const nodes: Node[] = [];
  const stores = names.map(() => createMemoryStore());
  const files = names.map(() => createMemoryFileStore());
  for (const index of names.keys()) nodes.push(await makeNode(index));
  for (const node of nodes) node.start();
  return {
    clock,
    network,
    nodes,
    genesis,
    keys,
    stores,
    eventLog,
    restart: async (index, store) => {
      await nodes[index]?.stop();
      stores[index] = store;
      const node = await makeNode(index);
      nodes[index] = node;
      node.start();
    },
    stop: async () => {
      for (const node of nodes) await node.stop();
    },
  };

  async function makeNode(index: number): Promise<Node> {
    const [name, secrets, store, ownFiles] = [names[index], keys[index], stores[index], files[index]];
    const own = network.networks.get(name ?? '');
    invariant(name !== undefined && own !== undefined && secrets !== undefined, 'every node has its network and keys');
    invariant(store !== undefined && ownFiles !== undefined, 'every node has its disk');
    return createNode(
      {
        network: options.interpose?.(name, own) ?? own,
        store,
        blockStore: createBlockStore(store),
        viewStore: createViewStore(store),
        states: await createStateDatabase(store),
        files: ownFiles,
        clock,
        logger: recordingLogger(name, record),
        metrics: countingMetrics(name, record),
        ...crypto,
        verifier: inlineVerifier(crypto),
        pause: undefined,
        validatorPeers: names,
      },
      {
        genesis,
        secrets: { validator: index, ...secrets },
        stateBlocks: options.parameters.fullHistoryBlocks,
        onFault: (fault) => {
          throw fault;
        },
      },
    );
  }
}

function genesisOf({ parameters, accounts, startMs, seed, crypto: { bls, vrf } }: WorldOptions, keys: readonly ValidatorKeys[]): Genesis {
  return {
    parameters,
    accounts,
    timestampMs: startMs,
    seed: sha256(uint64ToBytes(seed)),
    validators: keys.map(({ blsSecretKey, vrfSeed, peerSeed }) => {
      const identity = {
        blsPublicKey: bls.publicKeyOf(blsSecretKey),
        vrfPublicKey: vrf.publicKeyOf(vrfSeed),
        peerKey: ed25519.getPublicKey(peerSeed),
        rewardAddress: new Uint8Array(20),
      };
      return { ...identity, seats: 1, proofOfPossession: bls.sign(blsSecretKey, possessionSigningRoot(identity)) };
    }),
  };
}

/** Everything on this thread, in the order of the calls. */
function inlineVerifier(crypto: WorldCrypto): BatchingSignatureVerifier {
  const pool = new ThreadWorkerPool({
    size: 0,
    tasksMax: 1,
    entry: new URL('../runtime/signature-verifier-worker.ts', import.meta.url),
    workerData: undefined,
    runInline: () => {
      throw new Error('a pool of no workers gets no task');
    },
  });
  return new BatchingSignatureVerifier({ crypto, pool, schedule: queueMicrotask });
}

function recordingLogger(name: string, record: (line: string) => void): Logger {
  const write =
    (level: string) =>
    (facts: Readonly<Record<string, unknown>>, message: string): void =>
      record(`${name} ${level} ${message} ${JSON.stringify(facts)}`);
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

function countingMetrics(name: string, record: (line: string) => void): Metrics {
  return {
    count: (metric, labels, by) => record(`${name} count ${metric} ${JSON.stringify(labels ?? {})} ${by ?? 1}`),
    gauge: () => undefined,
    observe: () => undefined,
  };
}
