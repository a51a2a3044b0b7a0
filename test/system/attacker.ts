// An attacker as a process of its own, on raw libp2p:
//
//   node test/system/attacker.ts --target /ip4/127.0.0.1/tcp/9545/p2p/12D3… --mode gossip-random --topics a,b --for-ms 5000
//
// It connects, attacks, and when it is thrown out connects again under a new name; with `--peer-seed` (64 hexadecimal digits) always
// under that one, as a committee member gone bad would. Prints one JSON line when its time is over:
// connections made, refused, and lost, messages and bytes sent. `--mode all` runs the modes one after the other. `--given` names a file with the
// messages that mode gossip-given says, as a JSON list of pairs of a topic and a hexadecimal string.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { generateKeyPair, generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { identify } from '@libp2p/identify';
import type { Connection, Libp2p } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { hex } from '../../src/core/primitives/bytes.ts';
import { ATTACK_MODES, type AttackMode, type GivenMessage } from './attacker-modes.ts';

/** What an attack amounted to. */
export interface AttackReport {
  connections: number;
  refused: number;
  lost: number;
  /** Gossip messages, or single writes where it is no gossip, and bytes that were handed to the socket. */
  messages: number;
  bytes: number;
}

/** A libp2p node with a fresh name, or the seed's, that speaks gossip's protocol without knowing it. */
export async function startRawNode(peerSeed?: Uint8Array): Promise<Libp2p> {
  const node = await createLibp2p({
    privateKey: peerSeed === undefined ? await generateKeyPair('Ed25519') : await generateKeyPairFromSeed('Ed25519', peerSeed),
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  });
  await node.handle('/meshsub/1.2.0', () => undefined); // What the other side says goes unread.
  return node;
}

/** Attacks a target in one mode until the signal; reconnects under a new name whenever it is thrown out. */
export async function attack(
  target: string,
  mode: AttackMode,
  topics: readonly string[],
  stop: AbortSignal,
  peerSeed?: Uint8Array,
  given: readonly GivenMessage[] = [],
): Promise<AttackReport> {
  const report: AttackReport = { connections: 0, refused: 0, lost: 0, messages: 0, bytes: 0 };
  const stopped = new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }));
  while (!stop.aborted) {
    const node = await startRawNode(peerSeed);
    // A libp2p that is thrown out in the middle of a negotiation may wait for ever: nothing here waits for it longer than its time.
    await Promise.race([
      stopped,
      attempt(
        node,
        target,
        (connection) => mode({ connection, topics, stop, given, onSent: (messages, bytes) => count(report, messages, bytes) }),
        stop,
        report,
      ),
    ]);
    await Promise.race([node.stop(), new Promise((resolve) => setTimeout(resolve, 500))]);
  }
  return report;
}

function count(report: AttackReport, messages: number, bytes: number): void {
  report.messages += messages;
  report.bytes += bytes;
}

function readGiven(file: string): readonly GivenMessage[] {
  return (JSON.parse(readFileSync(file, 'utf8')) as [string, string][]).map(([topic, data]) => ({ topic, data: hex(data) }));
}

async function attempt(
  node: Libp2p,
  target: string,
  speak: (connection: Connection) => Promise<void>,
  stop: AbortSignal,
  report: AttackReport,
): Promise<void> {
  let connection: Connection | undefined;
  try {
    connection = await node.dial(multiaddr(target), { signal: stop });
    report.connections++;
    const thrownOut = closed(connection, stop);
    await Promise.race([thrownOut, speak(connection)]);
    await thrownOut;
  } catch {
    if (connection === undefined) report.refused++;
  }
  if (connection !== undefined && !stop.aborted) report.lost++;
}

/** Waits until the other side has had enough. */
async function closed(connection: Connection, stop: AbortSignal): Promise<void> {
  while (connection.status === 'open' && !stop.aborted) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      target: { type: 'string' },
      mode: { type: 'string', default: 'all' },
      topics: { type: 'string', default: '' },
      'peer-seed': { type: 'string' },
      given: { type: 'string' },
      'for-ms': { type: 'string', default: '5000' },
    },
  });
  const modes = values.mode === 'all' ? Object.keys(ATTACK_MODES) : [values.mode];
  const topics = values.topics.split(',').filter((topic) => topic !== '');
  const seed = values['peer-seed'] === undefined ? undefined : hex(values['peer-seed']);
  const given = values.given === undefined ? [] : readGiven(values.given);
  if (values.target === undefined) throw new Error('--target is missing');
  const reports: Record<string, AttackReport> = {};
  for (const name of modes) {
    const mode = ATTACK_MODES[name];
    if (mode === undefined) throw new Error(`--mode is one of all, ${Object.keys(ATTACK_MODES).join(', ')}`);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), Number(values['for-ms']) / modes.length); // Keeps the process alive, as a signal's own timer would not.
    reports[name] = await attack(values.target, mode, topics, stop.signal, seed, given);
  }
  process.stdout.write(`${JSON.stringify(reports)}\n`, () => process.exit(0));
}

if (import.meta.main) await main();
