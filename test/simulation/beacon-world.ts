// Nodes that run the beacon and its shards, on a virtual clock, a memory network and simulated disks.

import { beaconConstantsOf } from '../../src/core/beacon/constants.ts';
import { stateRootOf } from '../../src/core/beacon/state-root.ts';
import { createOwnLoopExecutor } from '../../src/core/execution/evm/own-loop-executor.ts';
import { Mempool } from '../../src/core/mempool/pool.ts';
import { bytesEqual, bytesToHex, ZERO_32 } from '../../src/core/primitives/bytes.ts';
import type { ChainId } from '../../src/core/primitives/ids.ts';
import { ROOT_SHARD } from '../../src/core/primitives/ids.ts';
import type { Genesis } from '../../src/core/protocol/genesis.ts';
import { type GenesisAccount, genesisRoot } from '../../src/core/protocol/genesis.ts';
import { createStateDatabase } from '../../src/core/state/state-database.ts';
import { topicName } from '../../src/network/topics.ts';
import { Beacon } from '../../src/node/create-beacon.ts';
import { Shards } from '../../src/node/create-shards.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { writeGenesisShards } from '../../src/node/genesis-shards.ts';
import { BeaconWindow } from '../../src/runtime/beacon-window.ts';
import { InstanceSwitch } from '../../src/runtime/instance-switch.ts';
import { TransactionDirectory } from '../../src/runtime/transaction-directory.ts';
import { TransactionPool } from '../../src/runtime/transaction-pool.ts';
import { type End, SimulatedDisk } from '../../src/simulation/disk.ts';
import { inlineVerifier } from '../../src/simulation/inline-verifier.ts';
import { Life } from '../../src/simulation/life.ts';
import { type LinkConditions, linksUnder, quietConditions } from '../../src/simulation/links.ts';
import { createMemoryNetwork } from '../../src/simulation/memory-network.ts';
import { NodeClock } from '../../src/simulation/node-clock.ts';
import { SeededRandom } from '../../src/simulation/random.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import { simulatedGenesis, type WorldCrypto } from '../../src/simulation/world.ts';
import { createBeaconStore } from '../../src/storage/beacon-store.ts';
import { createBlockStore } from '../../src/storage/block-store.ts';
import { createShardStore } from '../../src/storage/shard-store.ts';
import { createViewStore } from '../../src/storage/view-store.ts';
import { serveBlocks } from '../../src/sync/block-server.ts';
import { EndAnswers, endedSourceOf } from '../../src/sync/ended-instances.ts';

const START_MS = 1_700_000_000_000;
const NODES = 4;
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const UNCOUNTED = { count: () => undefined, gauge: () => undefined, observe: () => undefined };

export interface BeaconWorldOptions {
  readonly seed: number;
  readonly epochBlocks: number;
  readonly lossShare?: number;
  readonly latencyMs?: number;
  /** Shards that all nodes run; none when absent. */
  readonly layout?: readonly ChainId[];
  readonly accounts?: readonly GenesisAccount[];
  /** Stand-ins know what they signed: who signs for the world's accounts gives them. */
  readonly crypto?: WorldCrypto;
}

/** See the file's head. */
export interface BeaconWorld {
  readonly genesis: Genesis;
  /** Of each node, of its present life. */
  readonly beacons: readonly Beacon[];
  readonly shards: readonly Shards[];
  readonly windows: readonly BeaconWindow[];
  /** The mempool of a shard on a node. */
  pool(index: number, shard: ChainId): TransactionPool;
  readonly links: LinkConditions;
  /** By height and node: block and state root, as they were committed. */
  readonly seen: ReadonlyMap<number, ReadonlyMap<number, string>>;
  /** Ids of the instances in which blocks were committed. */
  readonly instancesRun: ReadonlySet<string>;
  run(forMs: number): Promise<void>;
  end(index: number, end: End): void;
  start(index: number): Promise<void>;
  /** Ends a node, and starts it again after a while. */
  restart(index: number, end: End, afterMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** Makes the nodes and starts them. */
export async function createBeaconWorld(options: BeaconWorldOptions): Promise<BeaconWorld> {
  const { seed, epochBlocks } = options;
  const { crypto = standInCrypto() } = options;
  const parameters = { ...readPreset('devnet'), epochBlocks };
  const { accounts = [], layout } = options;
  const simulated = simulatedGenesis({ parameters, accounts, startMs: START_MS, seed, crypto }, NODES);
  const { keys } = simulated;
  const genesis = layout === undefined ? simulated.genesis : { ...simulated.genesis, layout };
  const clock = new VirtualClock(START_MS);
  const names = keys.map((_keys, index) => `node-${index}`);
  const links = { ...quietConditions(options.latencyMs ?? 5), lossShare: options.lossShare ?? 0 };
  const network = createMemoryNetwork({ names, links: linksUnder(links, new SeededRandom(seed, 'links')), clock, onSay: () => undefined });
  const disks = names.map((name) => new SimulatedDisk(clock, new SeededRandom(seed, `disk of ${name}`), 0));
  const lives = names.map(() => new Life());
  const beacons: Beacon[] = [];
  const shards: Shards[] = [];
  const windows: BeaconWindow[] = [];
  const pools = new Map<string, TransactionPool>();
  const seen = new Map<number, Map<number, string>>();
  const instancesRun = new Set<string>();

  async function open(index: number, own = network.networks.get(names[index] as string)): Promise<void> {
    const [name, disk, life, secrets] = [names[index], disks[index], lives[index], keys[index]];
    if (name === undefined || disk === undefined || life === undefined || secrets === undefined) throw new Error(`no node ${index}`);
    if (own === undefined) throw new Error(`no network of ${name}`);
    const { store, files } = disk.portsOf(life);
    const onFault = (fault: unknown): void => {
      if (life.isAlive) throw fault;
    };
    const blockStore = createBlockStore(store);
    const nodeClock = new NodeClock(clock, life, { offsetMs: 0, driftPpm: 0 });
    const answers = new EndAnswers({ network: own, blockStore, clock: nodeClock, logger: SILENT });
    const roots = layout === undefined ? new Map<ChainId, Uint8Array>() : await writeGenesisShards(genesis, store);
    let running: Shards | undefined;
    let window: BeaconWindow | undefined;
    const ports = {
      network: own,
      store,
      files,
      blockStore,
      viewStore: createViewStore(store),
      beaconStore: createBeaconStore(store),
      states: createStateDatabase(store, ROOT_SHARD),
      clock: nodeClock,
      logger: SILENT,
      metrics: UNCOUNTED,
      ...crypto,
      verifier: inlineVerifier(crypto),
      pause: undefined,
      validatorPeers: names,
      self: index,
      secrets: { validator: index, ...secrets },
      instances: new InstanceSwitch({
        network: own,
        metrics: UNCOUNTED,
        onUnknownInstance: (instanceId, from) => answers.answer(instanceId, from),
        onFault,
      }),
      onFault,
    };
    const beacon = await Beacon.open({
      ...ports,
      genesis,
      genesisRootOf: (shard) => roots.get(shard) ?? ZERO_32,
      operations: { collect: async (state) => ({ crosslinks: (await running?.collect(state)) ?? [], evidence: [] }) },
      onCommitted: (outcome) => {
        const { facts, hash, state } = outcome;
        const at = seen.get(facts.height) ?? new Map<number, string>();
        seen.set(facts.height, at.set(index, `${bytesToHex(hash)} ${bytesToHex(stateRootOf(state))}`));
        const instance = beacons[index]?.chain.instance;
        if (instance !== undefined) instancesRun.add(bytesToHex(instance.instanceId));
        window?.extend(outcome);
        running?.onBeacon(outcome);
      },
    });
    beacons[index] = beacon;
    window = await BeaconWindow.open({ parameters, beaconStore: ports.beaconStore }, beacon.state);
    windows[index] = window;
    if (layout !== undefined) {
      const directory = new TransactionDirectory(ports.verifier, parameters.evmChainId);
      running = await Shards.open({
        ...ports,
        parameters,
        constants: beaconConstantsOf(genesis),
        shardStore: createShardStore(store),
        window,
        directory,
        evm: createOwnLoopExecutor(parameters.evmChainId, crypto.secp256k1),
        transactionsOf: (shard, committed) => {
          const mempool = new Mempool(parameters);
          const topic = topicName(genesisRoot(genesis), shard, 'transactions');
          const around = { pubSub: own.pubSub, topic, clock: nodeClock, logger: SILENT, metrics: UNCOUNTED };
          const pool = new TransactionPool(
            { ...around, pool: mempool, directory, isMeshFull: () => true, onPending: () => undefined },
            committed,
          );
          mempool.onBlock([], parameters.baseFeePerGasWeiMin);
          pools.set(`${index}/${shard}`, pool);
          return pool;
        },
        onCommitted: () => undefined,
      });
      shards[index] = running;
    }
    const runningSource = (instanceId: Uint8Array) =>
      [beacon.chain, ...(running?.chains.values() ?? [])]
        .map(({ blockSource }) => blockSource)
        .find((source) => bytesEqual(source.instanceId, instanceId));
    serveBlocks(
      own.request,
      (instanceId) => runningSource(instanceId) ?? endedSourceOf(blockStore, instanceId),
      (peer, reason) => {
        throw new Error(`${peer}: ${reason}`);
      },
    );
    beacon.start();
    running?.start();
  }

  const end = (index: number, how: End): void => {
    lives[index]?.end();
    network.shut(names[index] as string);
    disks[index]?.afterEnd(how);
  };
  const start = async (index: number): Promise<void> => {
    lives[index] = new Life();
    await clock.drive(open(index, network.reopen(names[index] as string)));
  };
  for (const index of names.keys()) await clock.drive(open(index));
  return {
    genesis,
    beacons,
    shards,
    windows,
    pool: (index, shard) => {
      const pool = pools.get(`${index}/${shard}`);
      if (pool === undefined) throw new Error(`node ${index} does not run shard ${shard}`);
      return pool;
    },
    links,
    seen,
    instancesRun,
    run: async (forMs) => {
      await clock.run(clock.nowMs() + forMs);
    },
    end,
    start,
    restart: async (index, how, afterMs) => {
      end(index, how);
      await clock.run(clock.nowMs() + afterMs);
      await start(index);
    },
    stop: async () => {
      for (const [index, beacon] of beacons.entries()) {
        if (lives[index]?.isAlive !== true) continue;
        await clock.drive(beacon.stop());
        const running = shards[index];
        if (running !== undefined) await clock.drive(running.stop());
      }
    },
  };
}
