import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Libp2pNetwork } from '../../src/network/host.ts';
import { addressOfNetwork, addressOfSeed, NETWORK_PREFIX, pause, startMesh, startNetwork, until } from './network-fixture.ts';

const TOPIC = `${NETWORK_PREFIX}1/consensus/1`;

describe('four networks in a mesh', () => {
  it('deliver every message to every other node once, and forward what is accepted', async (test) => {
    const networks = await startMesh(test, 4);
    const received = networks.map((network) => collect(network, 'accept'));
    await untilHeard(networks);
    const messages = networks.map((_network, index) => Uint8Array.of(index, 1, 2, 3));
    for (const [index, network] of networks.entries()) {
      const { recipients } = await network.pubSub.publish(TOPIC, messages[index] as Uint8Array);
      assert.equal(recipients, 3);
    }
    await until(() => received.every((list) => list.length === 3), 'everybody has three messages');
    await pause(200);
    for (const [index, list] of received.entries()) {
      assert.deepEqual(
        list.map((data) => data[0]).sort(),
        [0, 1, 2, 3].filter((other) => other !== index),
      );
    }
  });

  it('deliver blocks of a MiB, compressible or not, unchanged', async (test) => {
    const networks = await startMesh(test, 4);
    const received = networks.map((network) => collect(network, 'accept'));
    await untilHeard(networks);
    const blocks = [new Uint8Array(1 << 20).fill(7), new Uint8Array(randomBytes(1 << 20))];
    for (const block of blocks) await (networks[0] as Libp2pNetwork).pubSub.publish(TOPIC, block);
    await until(() => received.slice(1).every((list) => list.length === 2), 'everybody has both blocks');
    for (const list of received.slice(1)) for (const block of blocks) assert.ok(list.some((data) => Buffer.compare(data, block) === 0));
  });

  it('say that nobody heard when nobody follows the topic', async (test) => {
    const [first] = await startMesh(test, 2);
    assert.deepEqual(await first?.pubSub.publish(TOPIC, Uint8Array.of(1)), { recipients: 0 });
  });

  it('refuse to publish what is over the cap', async (test) => {
    const network = await startNetwork(test, 1, { limits: { messageBytesMax: 1_000 } });
    await assert.rejects(network.pubSub.publish(TOPIC, new Uint8Array(1_001)), { code: 'network/message-too-large' });
  });
});

describe('a network that is killed and comes back', { concurrency: 2 }, () => {
  it('is connected again soon, under its old name', async (test) => {
    const [first] = (await startMesh(test, 1)) as [Libp2pNetwork];
    const second = await startNetwork(test, 2, { peers: [addressOfNetwork(first)] });
    await until(() => first.peers.connected().length === 1, 'the two are connected');
    const changes: [string, boolean][] = [];
    first.peers.onChange((peer, connected) => changes.push([peer, connected]));
    await second.close();
    await until(() => first.peers.connected().length === 0, 'the loss is noticed');
    await pause(1_000);
    const again = await startNetwork(test, 2, { peers: [addressOfNetwork(first)] });
    const backMs = await until(() => first.peers.connected().length === 1, 'it is back');
    assert.ok(backMs < 5_000, `took ${backMs} ms`);
    assert.deepEqual(changes, [
      [second.self, false],
      [again.self, true],
    ]);
  });

  it('is redialled by those who know it, even if it dials nobody', async (test) => {
    const second = await startNetwork(test, 2);
    const first = await startNetwork(test, 1, { peers: [await addressOfSeed(2, second.listenPort)] });
    await until(() => first.peers.connected().length === 1, 'the two are connected');
    await second.close();
    await until(() => first.peers.connected().length === 0, 'the loss is noticed');
    await pause(2_000);
    await startNetwork(test, 2, { listenPort: second.listenPort });
    const backMs = await until(() => first.peers.connected().length === 1, 'it is back');
    assert.ok(backMs < 6_000, `took ${backMs} ms`);
  });
});

describe('who may connect', () => {
  it('is limited to the committee where one is given', async (test) => {
    const first = await startNetwork(test, 1, { committeePeers: [(await addressOfSeed(2, 0)).peerId] });
    const admitted = await startNetwork(test, 2, { peers: [addressOfNetwork(first)] });
    const stranger = await startNetwork(test, 3, { peers: [addressOfNetwork(first)] });
    await until(() => first.peers.connected().length === 1, 'the member is connected');
    await pause(1_000);
    assert.deepEqual(first.peers.connected(), [admitted.self]);
    assert.deepEqual(stranger.peers.connected(), []);
    assert.ok(stranger.stats().dials <= 5, 'the refused one backs off');
  });
});

function collect(network: Libp2pNetwork, decision: 'accept' | 'ignore'): Uint8Array[] {
  const received: Uint8Array[] = [];
  network.pubSub.subscribe(TOPIC, ({ data }) => {
    received.push(data);
    return decision;
  });
  return received;
}

async function untilHeard(networks: readonly Libp2pNetwork[]): Promise<void> {
  let probe = 0;
  for (const network of networks) {
    for (;;) {
      const { recipients } = await network.pubSub.publish(`${NETWORK_PREFIX}liveness/1`, Uint8Array.of(255, probe++));
      if (recipients === networks.length - 1) break;
      await pause(20);
    }
  }
  await pause(100); // Subscriptions travel on the same streams.
}
