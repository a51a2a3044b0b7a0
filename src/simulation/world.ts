// A world of whole nodes in one process: the production composition on a virtual clock, a memory network and simulated disks. Nodes end
// and start again, on what their disks hold. What happens is written to one event log; equal seeds give equal logs, byte for byte.
import { ed25519 } from '@noble/curves/ed25519.js';
import type { BlsScheme } from '../core/crypto/bls.ts';
import type { Secp256k1 } from '../core/crypto/secp256k1.ts';
import { sha256 } from '../core/crypto/sha256.ts';
import { deriveValidatorKeys, type ValidatorKeys } from '../core/crypto/validator-keys.ts';
import type { VrfScheme } from '../core/crypto/vrf.ts';
import { uint64ToBytes } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import { type ChainId, ROOT_SHARD, type TimestampMs, type ValidatorIndex } from '../core/primitives/ids.ts';
import { type Genesis, type GenesisAccount, possessionSigningRoot } from '../core/protocol/genesis.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { Network, PeerName } from '../network/ports.ts';
import { createNode, type Node } from '../node/create-node.ts';
import type { Follow } from '../node/followed-shards.ts';
import { createRpcPorts } from '../node/rpc-ports.ts';
import type { RpcPorts } from '../rpc/ports.ts';
import type { Clock, Logger, Metrics } from '../runtime/ports.ts';
import { type End, SimulatedDisk } from './disk.ts';
import { inlineVerifier } from './inline-verifier.ts';
import { Life } from './life.ts';
import { type LinkConditions, linksUnder, quietConditions } from './links.ts';
import { createMemoryNetwork, type MemoryNetwork } from './memory-network.ts';
import { type ClockError, NodeClock } from './node-clock.ts';
import { SeededRandom } from './random.ts';
import { Chronicle } from './timeline/chronicle.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Lines of one event log. */
const EVENTS_MAX = 1_000_000;
const EXACT: ClockError = { offsetMs: 0, driftPpm: 0 };

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
  /** Validators that run a second node with the same keys, which comes after all others. */
  readonly twins?: readonly ValidatorIndex[];
  readonly startMs: TimestampMs;
  readonly latencyMs: number;
  readonly lossShare: number;
  readonly parameters: NetworkParameters;
  readonly accounts: readonly GenesisAccount[];
  /** Shards, left to right; one when absent. */
  readonly layout?: readonly ChainId[];
  /** Which shards a node follows; all when absent. */
  readonly follow?: (index: number) => Follow;
  /** Median time of a synced write; 0 when absent. */
  readonly syncMs?: number;
  /** How wrong the clock of each node is; not at all when absent. */
  readonly clockErrors?: readonly ClockError[];
  /** Names in the network without a node: whoever makes the world speaks for them. */
  readonly outsiders?: readonly PeerName[];
  /** Stands between a node and its network: a validator that lies, or an ear. */
  readonly interpose?: (name: PeerName, own: Network) => Network;
  /** A node cannot go on, and its process has ended; thrown when absent. */
  readonly onFault?: (index: number, fault: unknown) => void;
  /** A node runs: at the start of the world, and after each restart. */
  readonly onStarted?: (index: number, node: Node) => void;
}

/** See the file's head. */
export interface World {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  /** What faults change about the links. */
  readonly links: LinkConditions;
  readonly disks: readonly SimulatedDisk[];
  /** The newest composition of each node; of a node that is down, the one that ended. */
  readonly nodes: readonly Node[];
  readonly names: readonly PeerName[];
  /** What JSON-RPC asks a node, as in production: of its present life. */
  rpcPorts(index: number): RpcPorts;
  /** Whose keys a node has. */
  validatorOf(index: number): ValidatorIndex;
  readonly genesis: Genesis;
  /** The secrets of each validator. */
  readonly keys: readonly ValidatorKeys[];
  isUp(index: number): boolean;
  /** It is being made, and may end before it is up. */
  isStarting(index: number): boolean;
  /** Ends a node's process at this moment, whatever it is doing. */
  end(index: number, end: End): void;
  /** Starts a node that is down, on what its disk holds; rejects, and the node is down again, where it cannot start on that. */
  start(index: number): Promise<void>;
  /** What goes into the event log so that people can follow it: timeline/ reads it there. */
  readonly chronicle: Chronicle;
  /** One line an event: moment, node, what happened. */
  readonly eventLog: readonly string[];
  stop(): Promise<void>;
}

/** Makes the nodes and starts them. */
export async function createWorld(options: WorldOptions): Promise<World> {
  const clock = new VirtualClock(options.startMs);
  const eventLog: string[] = [];
  const record = (line: string): void => {
    invariant(eventLog.length < EVENTS_MAX, 'an event log is bounded');
    eventLog.push(`${clock.nowMs()} ${line}`);
  };
  const chronicle = new Chronicle(record);
  const validatorNames = Array.from({ length: options.nodes }, (_unused, index) => `node-${index}`);
  const twins = options.twins ?? [];
  const names = [...validatorNames, ...twins.map((validator) => `node-${validator}-twin`)];
  const validatorOf = (index: number): ValidatorIndex => (index < options.nodes ? index : (twins[index - options.nodes] as ValidatorIndex));
  const { genesis, keys } = simulatedGenesis(options, options.nodes);
  const links = { ...quietConditions(options.latencyMs), lossShare: options.lossShare };
  const network = createMemoryNetwork({
    names: [...names, ...(options.outsiders ?? [])],
    links: linksUnder(links, new SeededRandom(options.seed, 'links')),
    clock,
    mutes: links.mutes,
    onSay: (from, to, topic, data) => chronicle.hear(from, to, topic, data),
  });
  const work = new SeededRandom(options.seed, 'work');
  const disks = names.map((name) => new SimulatedDisk(clock, new SeededRandom(options.seed, `disk of ${name}`), options.syncMs ?? 0));
  const lives: Life[] = names.map(() => new Life());
  /** Nodes that are made, and not only on their way. */
  const running = new Set<number>();
  const nodes: Node[] = [];
  /** By node: the network and the clock of its present life. */
  const surroundings = new Map<number, { readonly network: Network; readonly clock: Clock }>();
  const fail = (index: number, fault: unknown): void => {
    if (options.onFault === undefined) throw fault;
    record(`${names[index]} cannot go on: ${String(fault)}`);
    end(index, 'killed');
    options.onFault(index, fault);
  };
  for (const index of names.keys()) {
    const life = lives[index] as Life;
    const own = network.networks.get(names[index] as PeerName) as Network;
    nodes.push(await clock.drive(makeNode({ index, life, network: own })));
  }
  for (const index of names.keys()) begin(index);
  return {
    clock,
    network,
    links,
    disks,
    nodes,
    names,
    rpcPorts,
    validatorOf,
    genesis,
    keys,
    isUp: (index) => running.has(index),
    isStarting: (index) => lives[index]?.isAlive === true && !running.has(index),
    end,
    start: (index) => clock.drive(start(index)),
    chronicle,
    eventLog,
    stop: async () => {
      for (const [index, node] of nodes.entries()) if (lives[index]?.isAlive === true) await clock.drive(node.stop());
    },
  };

  async function start(index: number): Promise<void> {
    const name = names[index];
    invariant(name !== undefined && lives[index]?.isAlive === false, 'what is started is a node that is down');
    record(`${name} starts`);
    const life = new Life();
    lives[index] = life;
    try {
      nodes[index] = await makeNode({ index, life, network: network.reopen(name) });
    } catch (fault) {
      end(index, 'killed');
      throw fault;
    }
    if (life.isAlive) begin(index);
  }

  function begin(index: number): void {
    const node = nodes[index];
    invariant(node !== undefined, 'a node is made before it begins');
    running.add(index);
    node.start();
    options.onStarted?.(index, node);
  }

  function end(index: number, how: End): void {
    const [name, life, disk] = [names[index], lives[index], disks[index]];
    invariant(name !== undefined && life !== undefined && disk !== undefined, 'every node has its disk');
    if (!life.isAlive) return;
    record(`${name} ${how}`);
    life.end();
    running.delete(index);
    network.shut(name);
    disk.afterEnd(how);
  }

  function rpcPorts(index: number): RpcPorts {
    const [node, around] = [nodes[index], surroundings.get(index)];
    invariant(node !== undefined && around !== undefined, 'a node is made before it is asked');
    return createRpcPorts({ node, genesis, secp256k1: options.crypto.secp256k1, ...around });
  }

  async function makeNode({ index, life, network: own }: Making): Promise<Node> {
    const validator = validatorOf(index);
    const [name, secrets, disk] = [names[index], keys[validator], disks[index]];
    invariant(name !== undefined && secrets !== undefined && disk !== undefined, 'every node has its name, its keys and its disk');
    const { store, files } = disk.portsOf(life);
    const recordAlive = (line: string): void => {
      if (life.isAlive) record(line);
    };
    const around = {
      network: options.interpose?.(name, own) ?? own,
      clock: new NodeClock(clock, life, options.clockErrors?.[index] ?? EXACT),
    };
    surroundings.set(index, around);
    return createNode(
      {
        ...around,
        store,
        files,
        logger: recordingLogger(name, recordAlive),
        metrics: countingMetrics(name, recordAlive),
        ...options.crypto,
        verifier: inlineVerifier(options.crypto, (run) => void clock.schedule(work.between(0.1, 25), run)),
        pause: () => new Promise((resolve) => void clock.schedule(work.between(0, 12), resolve)),
        validatorPeers: validatorNames,
        ownAddresses: [],
      },
      {
        genesis,
        secrets: { validator, ...secrets },
        stateBlocks: options.parameters.fullHistoryBlocks,
        follow: options.follow?.(index) ?? 'all',
        onFault: (fault) => {
          if (life.isAlive) fail(index, fault);
        },
      },
    );
  }
}

interface Making {
  readonly index: number;
  readonly life: Life;
  readonly network: Network;
}

/** What a simulated genesis is made of. */
export type GenesisChoice = Pick<WorldOptions, 'parameters' | 'accounts' | 'startMs' | 'seed' | 'layout'> & {
  readonly crypto: Pick<WorldCrypto, 'bls' | 'vrf'>;
};

/** The genesis of so many validators, and their keys, which follow from the seed. */
export function simulatedGenesis(
  { parameters, accounts, startMs, seed, layout = [ROOT_SHARD], crypto: { bls, vrf } }: GenesisChoice,
  validators: number,
): { readonly genesis: Genesis; readonly keys: readonly ValidatorKeys[] } {
  const keys = Array.from({ length: validators }, (_unused, index) =>
    deriveValidatorKeys(sha256(uint64ToBytes(seed), uint64ToBytes(index))),
  );
  const genesis = {
    parameters,
    accounts,
    timestampMs: startMs,
    seed: sha256(uint64ToBytes(seed)),
    layout: [...layout],
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
  return { genesis, keys };
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
