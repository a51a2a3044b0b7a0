// A devnet of seven for attacks with consensus messages: five validators run. Of the two that do not, the key of one speaks for the
// attacker (a process of its own, which reaches one validator only), and with that of the other a listener has joined, which
// hears all that the five hand on and says nothing itself.
//
// It is as no full mesh that it shows something: validators hand on only what its author could not tell their neighbours himself, and the
// attacker speaks in the name of one whom nobody has for a neighbour.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deriveValidatorKeys, type ValidatorKeys } from '../../src/core/crypto/validator-keys.ts';
import { bytesToHex, hex } from '../../src/core/primitives/bytes.ts';
import { BEACON_CHAIN, ROOT_SHARD } from '../../src/core/primitives/ids.ts';
import type { Instance } from '../../src/core/protocol/committee.ts';
import type { Proposal } from '../../src/core/protocol/vote.ts';
import { packMessages, unpackMessages } from '../../src/network/coalesce.ts';
import { pack } from '../../src/network/frame-codec.ts';
import { createLibp2pNetwork, type Libp2pNetwork } from '../../src/network/host.ts';
import { peerNameOfPublicKey } from '../../src/network/peer-name.ts';
import { topicName, topicPrefix } from '../../src/network/topics.ts';
import { readGenesisFile } from '../../src/node/genesis-file.ts';
import { instancesOfGenesis } from '../../src/node/genesis-instances.ts';
import { type ConsensusMessage, decodeConsensusMessage, encodeConsensusMessage } from '../../src/runtime/consensus-codec.ts';
import { FRAME_MESSAGES_MAX } from '../../src/runtime/gossip-outbox.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { createSigner, type Signer } from '../../src/runtime/signer.ts';
import { type Devnet, startDevnet } from './devnet-fixture.ts';
import { realTiming, until } from './network-fixture.ts';

const ATTACKER = join(import.meta.dirname, 'attacker.ts');
const P2P_OFFSET = 1_000;
const METRICS_OFFSET = 2_000;
const VALIDATORS = 7;
/** Those whose processes run: a quorum, and not one more. */
export const RUNNING: readonly number[] = [0, 1, 2, 3, 4];
/** The one that is attacked. */
export const TARGET = 0;
/** Whose key the attacker has. */
export const THIEF = 5;
const LISTENER = 6;
const ATTACK_MS = 2_500;
const JOINED_MS_MAX = 60_000;

/** What is told, and on which topic. */
export interface Told {
  readonly topic: string;
  readonly frame: Uint8Array;
}

/** See the file's head. */
export interface AttackedDevnet {
  readonly devnet: Devnet;
  /** Of the shard. */
  readonly instance: Instance;
  readonly beaconInstance: Instance;
  readonly topics: Readonly<Record<'consensus' | 'beaconConsensus' | 'evidence' | 'beaconEvidence', string>>;
  /** Signs as the validator whose key the attacker has. */
  readonly thief: Signer;
  readonly thiefOfBeacon: Signer;
  readonly thiefName: string;
  /** Consensus messages and evidence that reached the listener, in hexadecimal, one by one, whatever frame they came in. */
  readonly heard: ReadonlySet<string>;
  /** The newest proposal that the listener heard. */
  newestProposal(): Proposal | undefined;
  /** Frames told to the target by the attacker's process; resolves when it has ended. */
  attack(told: readonly Told[]): Promise<{ readonly connections: number }>;
  metricsOf(validator: number): Promise<string>;
  heightOf(validator: number): Promise<number>;
  remove(): Promise<void>;
}

/** A frame as the consensus topic carries it. */
export function frameOf(messages: readonly ConsensusMessage[]): Uint8Array {
  return packMessages(messages.map(encodeConsensusMessage));
}

/** Starts all of it; resolves when the listener is connected to every running validator. */
export async function startAttackedDevnet(): Promise<AttackedDevnet> {
  const crypto = selectCrypto({ disableNative: false });
  const devnet = await startDevnet({ validators: VALIDATORS });
  let network: Libp2pNetwork | undefined;
  const remove = async (): Promise<void> => {
    await network?.close();
    await devnet.remove();
  };
  try {
    for (const away of [THIEF, LISTENER]) process.kill(devnet.validators[away]?.pid ?? 0, 'SIGKILL');
    const genesis = readGenesisFile(join(devnet.validators[TARGET]?.dataDir ?? '', 'genesis.json'), crypto.bls);
    const [beaconInstance, instance] = await instancesOfGenesis(genesis);
    if (beaconInstance === undefined || instance === undefined) throw new Error('a genesis starts its beacon and its shard');
    const names = genesis.validators.map(({ peerKey }) => peerNameOfPublicKey(peerKey));
    const topics = {
      consensus: topicName(instance.genesisRoot, ROOT_SHARD, 'consensus'),
      beaconConsensus: topicName(instance.genesisRoot, BEACON_CHAIN, 'consensus'),
      evidence: topicName(instance.genesisRoot, ROOT_SHARD, 'evidence'),
      beaconEvidence: topicName(instance.genesisRoot, BEACON_CHAIN, 'evidence'),
    };
    const thief = keysOf(devnet, THIEF);
    network = await createLibp2pNetwork({
      peerSeed: keysOf(devnet, LISTENER).peerSeed,
      listenAddress: { host: '127.0.0.1', port: 0 },
      peers: RUNNING.map((validator) => ({
        peerId: names[validator] as string,
        host: '127.0.0.1',
        port: devnet.basePort + P2P_OFFSET + validator,
      })),
      networkPrefix: topicPrefix(instance.genesisRoot),
      timing: realTiming,
      random: Math.random,
      log: () => undefined,
    });
    const heard = new Set<string>();
    let newest: Proposal | undefined;
    const hearConsensus = ({ data }: { readonly data: Uint8Array }, isOfShard: boolean) => {
      const messages = unpackMessages(data, FRAME_MESSAGES_MAX);
      for (const message of messages.ok ? messages.value : []) {
        heard.add(bytesToHex(message));
        const decoded = decodeConsensusMessage(message);
        if (isOfShard && decoded.ok && decoded.value.kind === 'proposal') newest = decoded.value.proposal;
      }
      return 'ignore' as const; // What one validator did not hand on, no other shall hear from here.
    };
    network.pubSub.subscribe(topics.consensus, (message) => hearConsensus(message, true));
    network.pubSub.subscribe(topics.beaconConsensus, (message) => hearConsensus(message, false));
    for (const topic of [topics.evidence, topics.beaconEvidence])
      network.pubSub.subscribe(topic, ({ data }) => {
        heard.add(bytesToHex(data));
        return 'ignore';
      });
    const { peers } = network;
    await until(() => peers.connected().length === RUNNING.length, 'the listener is connected', JOINED_MS_MAX);
    const target = `/ip4/127.0.0.1/tcp/${devnet.basePort + P2P_OFFSET + TARGET}/p2p/${names[TARGET]}`;
    return {
      devnet,
      instance,
      beaconInstance,
      topics,
      thief: createSigner(crypto, { validator: THIEF, ...thief }, instance),
      thiefOfBeacon: createSigner(crypto, { validator: THIEF, ...thief }, beaconInstance),
      thiefName: names[THIEF] as string,
      heard,
      newestProposal: () => newest,
      attack: (told) => runAttacker(devnet, target, thief, told),
      metricsOf: async (validator) => (await fetch(`http://127.0.0.1:${devnet.basePort + METRICS_OFFSET + validator}/metrics`)).text(),
      heightOf: (validator) => heightOf(devnet, validator),
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function runAttacker(
  devnet: Devnet,
  target: string,
  { peerSeed }: ValidatorKeys,
  told: readonly Told[],
): Promise<{ readonly connections: number }> {
  const given = join(devnet.folder, 'given.json');
  writeFileSync(given, JSON.stringify(told.map(({ topic, frame }) => [topic, bytesToHex(pack(frame))])));
  const mode = 'gossip-given';
  const options = { target, mode, given, 'for-ms': String(ATTACK_MS), 'peer-seed': bytesToHex(peerSeed) };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn(process.execPath, [ATTACKER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return (JSON.parse(output) as Record<string, { connections: number }>)[mode] ?? { connections: 0 };
}

function keysOf(devnet: Devnet, validator: number): ValidatorKeys {
  const folder = devnet.validators[validator]?.dataDir ?? '';
  return deriveValidatorKeys(hex(readFileSync(join(folder, 'keys/validator.seed'), 'utf8').trim()));
}

async function heightOf(devnet: Devnet, validator: number): Promise<number> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'coppice_getShardHead', params: ['0x1'] });
  const response = await fetch(devnet.rpc[validator] ?? '', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return Number(((await response.json()) as { result: { height: string } }).result.height);
}
