// A devnet under attack by a process on raw libp2p: first as a stranger, whom validators do not let in; then with the stolen key of a
// validator, whose process is gone. The chain goes on, what is refused is counted by reason, and memory stays bounded.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { deriveValidatorKeys, type ValidatorKeys } from '../../src/core/crypto/validator-keys.ts';
import { hex } from '../../src/core/primitives/bytes.ts';
import { BEACON_CHAIN, ROOT_SHARD } from '../../src/core/primitives/ids.ts';
import { genesisRoot } from '../../src/core/protocol/genesis.ts';
import { DEFAULT_LIMITS } from '../../src/network/limits.ts';
import { peerNameOfPublicKey } from '../../src/network/peer-name.ts';
import { topicName } from '../../src/network/topics.ts';
import { readGenesisFile } from '../../src/node/genesis-file.ts';
import { CERTIFICATES_PROTOCOL } from '../../src/runtime/instance-switch.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { BLOCK_PROTOCOLS } from '../../src/sync/block-protocol.ts';
import type { AttackReport } from './attacker.ts';
import { BOMB_BYTES } from './attacker-modes.ts';
import { type Devnet, startDevnet } from './devnet-fixture.ts';

const ATTACKER = join(import.meta.dirname, 'attacker.ts');
const P2P_OFFSET = 1_000;
const METRICS_OFFSET = 2_000;
const THIEF = 3;
const PROTOCOLS = [...Object.values(BLOCK_PROTOCOLS), CERTIFICATES_PROTOCOL];
/** Above what a validator may hold of its peers' gossip, requests and bombs while they last; an idle one takes about 200 MB. */
const RSS_BYTES_MAX = 700 * 1024 * 1024;

let devnet: Devnet;
let topics: readonly string[];

function keysOf(validator: number): ValidatorKeys {
  const folder = devnet.validators[validator]?.dataDir ?? '';
  return deriveValidatorKeys(hex(readFileSync(join(folder, 'keys/validator.seed'), 'utf8').trim()));
}

async function attack(
  target: number,
  mode: string,
  over: readonly string[],
  forMs: number,
  thief?: ValidatorKeys,
): Promise<Pick<AttackReport, 'connections' | 'messages' | 'bytes'>> {
  const name = peerNameOfPublicKey(ed25519.getPublicKey(keysOf(target).peerSeed));
  const address = `/ip4/127.0.0.1/tcp/${devnet.basePort + P2P_OFFSET + target}/p2p/${name}`;
  const args = ['--target', address, '--mode', mode, '--topics', over.join(','), '--for-ms', String(forMs)];
  if (thief !== undefined) args.push('--peer-seed', Buffer.from(thief.peerSeed).toString('hex'));
  const child = spawn(process.execPath, [ATTACKER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await new Promise((resolve) => child.once('close', resolve));
  const reports = Object.values(JSON.parse(output) as Record<string, AttackReport>);
  const sum = (of: (report: AttackReport) => number): number => reports.reduce((total, report) => total + of(report), 0);
  return {
    connections: sum(({ connections }) => connections),
    messages: sum(({ messages }) => messages),
    bytes: sum(({ bytes }) => bytes),
  };
}

async function metricsOf(validator: number): Promise<string> {
  return (await fetch(`http://127.0.0.1:${devnet.basePort + METRICS_OFFSET + validator}/metrics`)).text();
}

function sampleOf(metrics: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(metrics)?.[1] ?? Number.NaN);
}

async function blockNumber(validator: number): Promise<number> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', params: [] });
  const response = await fetch(devnet.rpc[validator] ?? '', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return Number(((await response.json()) as { result: string }).result);
}

async function goesOn(validators: readonly number[]): Promise<void> {
  for (const validator of validators) {
    const before = await blockNumber(validator);
    const deadlineMs = Date.now() + 30_000;
    while ((await blockNumber(validator)) <= before) {
      assert.ok(Date.now() < deadlineMs, `validator ${validator} stays at ${before}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const rss = sampleOf(await metricsOf(validator), 'process_resident_memory_bytes');
    assert.ok(rss < RSS_BYTES_MAX, `validator ${validator} takes ${Math.round(rss / 1024 / 1024)} MiB`);
  }
}

describe('a devnet under attack', () => {
  before(async () => {
    devnet = await startDevnet();
    const genesis = readGenesisFile(join(devnet.validators[0]?.dataDir ?? '', 'genesis.json'), selectCrypto({ disableNative: false }).bls);
    topics = [
      ...(['consensus', 'transactions', 'evidence'] as const).map((kind) => topicName(genesisRoot(genesis), ROOT_SHARD, kind)),
      ...(['consensus', 'evidence', 'addresses', 'crosslinks'] as const).map((kind) => topicName(genesisRoot(genesis), BEACON_CHAIN, kind)),
    ];
  });

  after(() => devnet.remove());

  it('scores nobody while all are honest', async () => {
    for (const validator of [0, 1, 2, 3]) assert.doesNotMatch(await metricsOf(validator), /^coppice_network_misbehaviour\{/m);
  });

  it('lets no stranger in, however it knocks', async () => {
    await attack(0, 'all', [...topics, ...PROTOCOLS], 4_950);
    assert.equal(sampleOf(await metricsOf(0), 'coppice_peers_connected'), 3, 'the three others, and nobody else');
    await goesOn([0]);
  });

  it('bears each attack of a validator that turned, and counts it', async () => {
    const thief = keysOf(THIEF);
    process.kill(devnet.validators[THIEF]?.pid ?? 0, 'SIGKILL');
    const attacks = [
      [0, 'gossip-garbage-messages', topics],
      [1, 'gossip-bombs', topics],
      [2, 'request-garbage', PROTOCOLS],
    ] as const;
    const reports = await Promise.all(attacks.map(([target, mode, over]) => attack(target, mode, over, 3_000, thief)));
    for (const [index, { connections }] of reports.entries()) assert.ok(connections > 0, `${attacks[index]?.[1]} was let in`);
    const inflatedBytes = (reports[1]?.messages ?? 0) * BOMB_BYTES;
    assert.ok(inflatedBytes >= 10 * DEFAULT_LIMITS.awaitingBytesMaxPerPeer, `bombs of ${inflatedBytes} bytes: ten times what may wait`);
    await goesOn([0, 1, 2]);
    for (const [target, mode] of attacks) {
      const metrics = await metricsOf(target);
      assert.match(metrics, /^coppice_network_(?:misbehaviour|refused)\{reason="[^"]+"\} [1-9]/m, `${mode} is counted`);
    }
    const behind = await Promise.all([0, 1, 2].map(blockNumber));
    assert.ok(Math.max(...behind) - Math.min(...behind) <= 2, behind.join());
  });
});
