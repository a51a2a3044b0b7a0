import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Libp2pNetwork } from '../../src/network/host.ts';
import { addressOf } from '../../src/network/libp2p-node.ts';
import { protocolName } from '../../src/network/topics.ts';
import { addressOfNetwork, NETWORK_PREFIX, pause, startMesh, startNetwork, until } from './network-fixture.ts';

const TOPIC = `${NETWORK_PREFIX}1/consensus/1`;
const STATUS = protocolName('status');
const ATTACKER = fileURLToPath(new URL('attacker.ts', import.meta.url));
const HONEST_MARK = 0xc0;

describe('a node under attack by a raw libp2p peer', () => {
  const gossipModes = [
    ['gossip-random', 'gossip-frame'],
    ['gossip-garbage-frames', 'gossip-frame-malformed'],
    ['gossip-garbage-messages', 'message-unknown-compression'],
    ['gossip-unknown-topics', 'topic-not-followed'],
    ['gossip-bombs', 'message-bad-compression'],
    ['gossip-oversized', 'gossip-frame-too-large'],
  ] as const;
  for (const [mode, counted] of gossipModes) {
    it(`in mode ${mode} counts it, forwards none of it, and keeps serving the honest`, async (test) => {
      const { first, second, received } = await honestPair(test);
      await under(attackOn(test, first, mode, [TOPIC], 1_500), async () => {
        for (let round = 0; round < 5; round++) {
          await first.pubSub.publish(TOPIC, Uint8Array.of(HONEST_MARK, round));
          await pause(200);
        }
      });
      const refused = Object.entries(first.stats().refused).filter(([reason]) => reason.startsWith(counted));
      assert.ok(refused.length > 0, JSON.stringify(first.stats().refused));
      await until(() => received.length >= 5, 'the honest messages have arrived');
      assert.ok(
        received.every((data) => data[0] === HONEST_MARK),
        'nothing of the attack was forwarded',
      );
      assert.deepEqual(first.peers.connected(), [second.self]);
      assert.equal(Object.keys(second.stats().misbehaviour).length, 0);
    });
  }

  it('bounds what waits for its handlers, and what it reads, under a flood of well-formed messages', async (test) => {
    const limits = { awaitingMaxPerPeer: 50, gossipItemsRate: { perSecond: 1_000, burst: 1_000 } };
    const [first] = (await startMesh(test, 1, { limits })) as [Libp2pNetwork];
    let handled = 0;
    first.pubSub.subscribe(TOPIC, async () => {
      handled++;
      await pause(500);
      return 'ignore' as const;
    });
    let awaitingMax = 0;
    const watch = setInterval(() => {
      awaitingMax = Math.max(awaitingMax, first.stats().gossipAwaiting);
    }, 5);
    await attackOn(test, first, 'gossip-flood', [TOPIC], 2_500);
    clearInterval(watch);
    assert.ok(awaitingMax > 0 && awaitingMax <= 50, `${awaitingMax} waiting`);
    assert.ok(handled > 0);
    const { refused, gossipMessagesIn } = first.stats();
    assert.ok((refused['too-many-awaiting'] ?? 0) > 0, JSON.stringify(refused));
    assert.ok((refused['gossip-rate'] ?? 0) > 0, JSON.stringify(refused));
    assert.ok(gossipMessagesIn < 15_000, `${gossipMessagesIn} messages read`); // The rate, and one window of 2 MiB.
  });

  it('survives cut frames and streams opened for nothing, and keeps none', async (test) => {
    const { first, second } = await honestPair(test);
    first.request.handle(STATUS, (_peer, body) => [body]);
    const ask = async () => second.request.request(first.self, STATUS, Uint8Array.of(1), { timeoutMs: 2_000, responseBytesMax: 100 });
    for (const [mode, topics] of [
      ['gossip-truncated', [TOPIC]],
      ['request-streams', [STATUS]],
      ['request-garbage', [STATUS]],
    ] as const) {
      await under(attackOn(test, first, mode, topics, 1_500), async () => {
        for (let count = 0; count < 5; count++) {
          assert.deepEqual(
            (await ask()).map((frame) => frame[0]),
            [1],
          );
          await pause(100);
        }
      });
    }
    await until(() => (first.stats().streamsOpen[STATUS] ?? 0) === 0, 'no stream of the attack is left', 12_000);
    assert.deepEqual(first.peers.connected(), [second.self]);
    assert.ok(Object.keys(first.stats().misbehaviour).some((reason) => reason.startsWith('request-')));
  });

  it('refuses whoever a handler rejects too often, and takes it back later no sooner than its time', async (test) => {
    const [first] = (await startMesh(test, 1)) as [Libp2pNetwork];
    first.pubSub.subscribe(TOPIC, () => 'reject');
    const second = await startNetwork(test, 2, { peers: [addressOfNetwork(first)] });
    await until(() => first.peers.connected().length === 1, 'the two are connected');
    await pause(100);
    for (let count = 0; count < 20; count++) await second.pubSub.publish(TOPIC, Uint8Array.of(count));
    await until(() => first.peers.connected().length === 0, 'the offender is gone');
    assert.equal(first.stats().peersRefused, 1);
    await pause(1_500);
    assert.deepEqual(first.peers.connected(), []);
    assert.deepEqual(second.peers.connected(), []);
  });
});

async function honestPair(test: TestContext): Promise<{ first: Libp2pNetwork; second: Libp2pNetwork; received: Uint8Array[] }> {
  const [first, second] = (await startMesh(test, 2)) as [Libp2pNetwork, Libp2pNetwork];
  const received: Uint8Array[] = [];
  first.pubSub.subscribe(TOPIC, ({ data }) => (data[0] === HONEST_MARK ? 'accept' : 'reject'));
  second.pubSub.subscribe(TOPIC, ({ data }) => {
    received.push(data);
    return 'accept';
  });
  await pause(200);
  return { first, second, received };
}

/** Runs the attacker as a process of its own until its time is over. */
async function attackOn(test: TestContext, target: Libp2pNetwork, mode: string, topics: readonly string[], forMs: number): Promise<void> {
  const address = addressOf({ host: '127.0.0.1', port: target.listenPort }, target.self).toString();
  const arguments_ = [ATTACKER, '--target', address, '--mode', mode, '--topics', topics.join(','), '--for-ms', String(forMs)];
  const child: ChildProcess = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] });
  test.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  await new Promise((resolve) => child.once('exit', resolve));
  const report = JSON.parse(output)[mode] as { connections: number };
  assert.ok(report.connections > 0, `the attacker never connected: ${output}`);
}

async function under(attack: Promise<void>, honestWork: () => Promise<void>): Promise<void> {
  await Promise.all([attack, pause(500).then(honestWork)]);
}
