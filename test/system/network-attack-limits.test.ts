import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { Libp2pNetwork } from '../../src/network/host.ts';
import { protocolName } from '../../src/network/topics.ts';
import { ATTACKED_TOPIC, attackOn, honestPair, under } from './network-attack-fixture.ts';
import { addressOfNetwork, pause, startMesh, startNetwork, until } from './network-fixture.ts';

const STATUS = protocolName('status');

describe('a node under attack by a raw libp2p peer', { concurrency: 2 }, () => {
  it('bounds what waits for its handlers, and what it reads, under a flood of well-formed messages', async (test) => {
    const limits = { awaitingMaxPerPeer: 50, gossipItemsRate: { perSecond: 1_000, burst: 1_000 } };
    const [first] = (await startMesh(test, 1, { limits })) as [Libp2pNetwork];
    let handled = 0;
    first.pubSub.subscribe(ATTACKED_TOPIC, async () => {
      handled++;
      await pause(500);
      return 'ignore' as const;
    });
    let awaitingMax = 0;
    const watch = setInterval(() => {
      awaitingMax = Math.max(awaitingMax, first.stats().gossipAwaiting);
    }, 5);
    const { messages } = await attackOn(test, first, 'gossip-flood', [ATTACKED_TOPIC], 2_500);
    clearInterval(watch);
    assert.ok(messages >= 10 * limits.gossipItemsRate.burst, `${messages} messages sent`);
    assert.ok(awaitingMax > 0 && awaitingMax <= limits.awaitingMaxPerPeer, `${awaitingMax} waiting`);
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
      ['gossip-truncated', [ATTACKED_TOPIC]],
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
    first.pubSub.subscribe(ATTACKED_TOPIC, () => 'reject');
    const second = await startNetwork(test, 2, { peers: [addressOfNetwork(first)] });
    await until(() => first.peers.connected().length === 1, 'the two are connected');
    await pause(100);
    for (let count = 0; count < 20; count++) await second.pubSub.publish(ATTACKED_TOPIC, Uint8Array.of(count));
    await until(() => first.peers.connected().length === 0, 'the offender is gone');
    assert.equal(first.stats().peersRefused, 1);
    await pause(1_500);
    assert.deepEqual(first.peers.connected(), []);
    assert.deepEqual(second.peers.connected(), []);
  });

  it('survives bytes that are not even libp2p, and many connections that say nothing', async (test) => {
    const { first, second } = await honestPair(test);
    const sockets: Socket[] = [];
    test.after(() => {
      for (const socket of sockets) socket.destroy();
    });
    for (let count = 0; count < 150; count++) {
      const socket = connect(first.listenPort, '127.0.0.1');
      socket.on('error', () => undefined);
      if (count % 2 === 0) socket.write(randomBytes(10_000));
      sockets.push(socket);
    }
    await until(() => (first.stats().refused['handshake-failed'] ?? 0) > 0, 'what is no handshake is counted');
    await pause(500);
    assert.deepEqual(first.peers.connected(), [second.self]);
    await second.close();
    await until(() => first.peers.connected().length === 0, 'the honest one is gone');
    const again = await startNetwork(test, 2, { peers: [addressOfNetwork(first)] });
    await until(() => first.peers.connected().includes(again.self), 'it is back');
  });
});
