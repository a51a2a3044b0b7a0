import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Libp2p } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import type { Libp2pNetwork } from '../../src/network/host.ts';
import { addressOf } from '../../src/network/libp2p-node.ts';
import type { NetworkLimits } from '../../src/network/limits.ts';
import { startRawNode } from '../system/attacker.ts';
import { subscribeFrame } from '../system/attacker-modes.ts';
import { addressOfNetwork, NETWORK_PREFIX, pause, startMesh, startNetwork, until } from '../system/network-fixture.ts';

const TOPIC = `${NETWORK_PREFIX}1/consensus/1`;
const QUICK = { livenessIntervalMs: 200, silenceMsMax: 1_000 };

describe('a peer', { concurrency: 5 }, () => {
  it('that is connected but never follows this network is closed', async (test) => {
    const { network, raw } = await rawPair(test, { ...QUICK, readyMsMax: 700 });
    await until(() => raw.getConnections().length === 0, 'the connection is closed');
    assert.equal(network.stats().closed['never-ready'], 1);
    assert.deepEqual(network.peers.connected(), []);
  });

  it('of another network is never connected', async (test) => {
    const [network] = (await startMesh(test, 1, { limits: QUICK })) as [Libp2pNetwork];
    const other = await startNetwork(test, 2, { networkPrefix: '/coppice/deadbeef/', peers: [addressOfNetwork(network)] });
    await pause(1_500);
    assert.deepEqual(network.peers.connected(), []);
    assert.deepEqual(other.peers.connected(), []);
  });

  it('that falls silent is closed, and counts as gone', async (test) => {
    const { network, raw } = await rawPair(test);
    const stream = await raw.getConnections()[0]?.newStream('/meshsub/1.2.0');
    stream?.send(subscribeFrame([`${NETWORK_PREFIX}liveness/1`]));
    await until(() => network.peers.connected().length === 1, 'it is connected');
    await until(() => network.peers.connected().length === 0, 'it is gone');
    assert.equal(network.stats().closed['gossip-silent'], 1);
    assert.equal(network.stats().peersRefused, 0);
  });

  it('whose gossip stream ends while its connection stays is closed', async (test) => {
    const { network, raw } = await rawPair(test);
    const stream = await raw.getConnections()[0]?.newStream('/meshsub/1.2.0');
    stream?.send(subscribeFrame([`${NETWORK_PREFIX}liveness/1`]));
    await until(() => network.peers.connected().length === 1, 'it is connected');
    stream?.abort(new Error('cut'));
    await until(() => raw.getConnections().length === 0, 'the connection is closed', 3_000);
    assert.equal(network.stats().closed['gossip-broken'], 1);
  });

  it('that sends one oversized frame is closed at once, counted, and connected again', async (test) => {
    const first = await startNetwork(test, 1, { limits: { messageBytesMax: 100_000 } });
    const second = await startNetwork(test, 2, { peers: [addressOfNetwork(first)] });
    let received = 0;
    first.pubSub.subscribe(TOPIC, () => {
      received++;
      return 'accept';
    });
    await until(() => second.peers.connected().length === 1, 'the two are connected');
    await pause(100);
    await second.pubSub.publish(TOPIC, crypto.getRandomValues(new Uint8Array(60_000)));
    await until(() => received === 1, 'the small one has arrived');
    const large = Buffer.concat(Array.from({ length: 8 }, () => crypto.getRandomValues(new Uint8Array(60_000))));
    await second.pubSub.publish(TOPIC, large);
    await until(() => first.stats().refused['gossip-frame-too-large'] === 1, 'the large one is found');
    await until(() => first.peers.connected().length === 0, 'the connection is closed');
    await until(() => first.peers.connected().length === 1, 'it is back', 3_000);
    await pause(100);
    await second.pubSub.publish(TOPIC, Uint8Array.of(1));
    await until(() => received === 2, 'gossip flows again');
    assert.equal(first.stats().peersRefused, 0);
  });
});

async function rawPair(test: TestContext, limits: Partial<NetworkLimits> = QUICK): Promise<{ network: Libp2pNetwork; raw: Libp2p }> {
  const [network] = (await startMesh(test, 1, { limits })) as [Libp2pNetwork];
  const raw = await startRawNode();
  test.after(() => raw.stop());
  await raw.dial(multiaddr(addressOf({ host: '127.0.0.1', port: network.listenPort }, network.self).toString()));
  return { network, raw };
}
