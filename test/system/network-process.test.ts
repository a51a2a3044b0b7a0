import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Libp2pNetwork } from '../../src/network/host.ts';
import { attackOn } from './network-attack-fixture.ts';
import { addressOfNetwork, startMesh, startNetwork, until } from './network-fixture.ts';

const PROCESS = fileURLToPath(new URL('network-process.ts', import.meta.url));
const QUICK = { livenessIntervalMs: 200, silenceMsMax: 1_200 };

describe('a peer that is a process of its own', { concurrency: 3 }, () => {
  it('is noticed to be gone after kill -9, and connected again when it is back', async (test) => {
    const [network] = (await startMesh(test, 1)) as [Libp2pNetwork];
    const killed = await startProcess(test, network);
    await until(() => network.peers.connected().length === 1, 'it is connected');
    killed.kill('SIGKILL');
    await until(() => network.peers.connected().length === 0, 'it is gone', 2_000);
    await startProcess(test, network);
    await until(() => network.peers.connected().length === 1, 'it is back');
  });

  it('is given up while it is stopped, and connected again when it goes on', async (test) => {
    const [network] = (await startMesh(test, 1, { limits: QUICK })) as [Libp2pNetwork];
    const stopped = await startProcess(test, network);
    await until(() => network.peers.connected().length === 1, 'it is connected');
    stopped.kill('SIGSTOP');
    await until(() => network.peers.connected().length === 0, 'it is given up', 5_000);
    assert.ok((network.stats().closed['gossip-silent'] ?? 0) >= 1);
    stopped.kill('SIGCONT');
    await until(() => network.peers.connected().length === 1, 'it is back');
  });

  it('gets through to a node whose address is full of attackers', async (test) => {
    const [network] = (await startMesh(test, 1)) as [Libp2pNetwork];
    const attack = attackOn(test, network, 'gossip-random', [], 4_000);
    await until(() => (network.stats().refused['connection-rate'] ?? 0) > 5, 'the throttle is at work');
    const honest = await startNetwork(test, 2, { peers: [addressOfNetwork(network)] });
    const afterMs = await until(() => network.peers.connected().includes(honest.self), 'the honest one is connected');
    assert.ok(afterMs < 6_000);
    await attack;
  });
});

async function startProcess(test: TestContext, peer: Libp2pNetwork): Promise<ChildProcess> {
  const { peerId, port } = addressOfNetwork(peer);
  const child = spawn(process.execPath, [PROCESS, '2', '0', peerId, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  test.after(() => child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return child;
}
