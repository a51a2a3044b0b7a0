// A node, an honest peer of it, and an attacker as a process of its own.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Libp2pNetwork } from '../../src/network/host.ts';
import { addressOf } from '../../src/network/libp2p-node.ts';
import type { AttackReport } from './attacker.ts';
import { NETWORK_PREFIX, pause, startMesh } from './network-fixture.ts';

/** The topic that the honest pair follows. */
export const ATTACKED_TOPIC = `${NETWORK_PREFIX}1/consensus/1`;
/** First byte of an honest message. */
export const HONEST_MARK = 0xc0;

const ATTACKER = fileURLToPath(new URL('attacker.ts', import.meta.url));

/** Two nodes; the first judges messages by their mark, the second keeps what reaches it. */
export async function honestPair(test: TestContext): Promise<{ first: Libp2pNetwork; second: Libp2pNetwork; received: Uint8Array[] }> {
  const [first, second] = (await startMesh(test, 2)) as [Libp2pNetwork, Libp2pNetwork];
  const received: Uint8Array[] = [];
  first.pubSub.subscribe(ATTACKED_TOPIC, ({ data }) => (data[0] === HONEST_MARK ? 'accept' : 'reject'));
  second.pubSub.subscribe(ATTACKED_TOPIC, ({ data }) => {
    received.push(data);
    return 'accept';
  });
  await pause(200);
  return { first, second, received };
}

/** Runs the attacker as a process of its own until its time is over; gives what it has sent. */
export async function attackOn(
  test: TestContext,
  target: Libp2pNetwork,
  mode: string,
  topics: readonly string[],
  forMs: number,
): Promise<AttackReport> {
  const address = addressOf({ host: '127.0.0.1', port: target.listenPort }, target.self).toString();
  const arguments_ = [ATTACKER, '--target', address, '--mode', mode, '--topics', topics.join(','), '--for-ms', String(forMs)];
  const child: ChildProcess = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] });
  test.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  await new Promise((resolve) => child.once('close', resolve)); // Not at its exit: what it printed may come after that.
  const report = JSON.parse(output)[mode] as AttackReport;
  assert.ok(report.connections > 0, `the attacker never connected: ${output}`);
  return report;
}

/** Does honest work while an attack is under way. */
export async function under(attack: Promise<AttackReport>, honestWork: () => Promise<void>): Promise<AttackReport> {
  const [report] = await Promise.all([attack, pause(500).then(honestWork)]);
  return report;
}
