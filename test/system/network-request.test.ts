import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import type { Libp2pNetwork, Libp2pNetworkOptions } from '../../src/network/host.ts';
import type { RequestOptions } from '../../src/network/ports.ts';
import { protocolName } from '../../src/network/topics.ts';
import { addressOfNetwork, pause, startMesh, startNetwork, until } from './network-fixture.ts';

const MIB = 1024 * 1024;
const BLOCKS = protocolName('blocks');
const ASK: RequestOptions = { timeoutMs: 3_000, responseBytesMax: 64 * MIB };

describe('a request', () => {
  it('brings back the frames of the answer, in order and unchanged, small and large', async (test) => {
    const { asker, server } = await pair(test);
    const frames = [new Uint8Array(0), Uint8Array.of(1), new Uint8Array(3 * MIB).fill(5), new Uint8Array(randomBytes(2 * MIB))];
    server.request.handle(BLOCKS, async function* (peer, body) {
      assert.equal(peer, asker.self);
      yield body;
      yield* frames;
    });
    const body = new Uint8Array(randomBytes(10_000));
    const answer = await asker.request.request(server.self, BLOCKS, body, ASK);
    assert.equal(answer.length, frames.length + 1);
    for (const [index, frame] of [body, ...frames].entries()) assert.equal(Buffer.compare(answer[index] as Uint8Array, frame), 0);
    await noStreamLeft(asker, server);
  });

  it('moves many MiB without holding them all in buffers', async (test) => {
    const { asker, server } = await pair(test);
    const frame = new Uint8Array(randomBytes(MIB));
    let queuedMax = 0;
    server.request.handle(BLOCKS, function* () {
      for (let count = 0; count < 48; count++) {
        queuedMax = Math.max(queuedMax, server.stats().sendQueueBytes);
        yield frame;
      }
    });
    const answer = await asker.request.request(server.self, BLOCKS, Uint8Array.of(1), ASK);
    assert.equal(answer.length, 48);
    assert.ok(queuedMax <= 3 * MIB, `${queuedMax} bytes queued`);
    await noStreamLeft(asker, server);
  });

  it('runs beside many others', async (test) => {
    const { asker, server } = await pair(test);
    server.request.handle(BLOCKS, function* (_peer, body) {
      yield body;
    });
    for (let round = 0; round < 20; round++) {
      const bodies = Array.from({ length: 8 }, (_unused, index) => Uint8Array.of(round, index));
      const answers = await Promise.all(bodies.map((body) => asker.request.request(server.self, BLOCKS, body, ASK)));
      assert.deepEqual(
        answers.flat().map((frame) => [...frame]),
        bodies.map((body) => [...body]),
      );
    }
    await noStreamLeft(asker, server);
  });
});

describe('a request that fails', () => {
  it('says why, and leaves no stream behind', async (test) => {
    const { asker, server } = await pair(test);
    let returned = 0;
    server.request.handle(protocolName('silent'), async function* () {
      try {
        await new Promise(() => undefined);
        yield Uint8Array.of(1);
      } finally {
        returned++;
      }
    });
    server.request.handle(protocolName('broken'), async function* () {
      yield Uint8Array.of(1);
      throw new Error('broken');
    });
    server.request.handle(protocolName('endless'), function* () {
      try {
        for (;;) yield new Uint8Array(MIB);
      } finally {
        returned++;
      }
    });
    server.request.handle(protocolName('many'), function* () {
      for (;;) yield new Uint8Array(0);
    });
    const ask = (name: string, options: Partial<RequestOptions> = {}, body = Uint8Array.of(1)) =>
      asker.request.request(server.self, protocolName(name), body, { ...ASK, ...options });
    await fails(ask('silent', { timeoutMs: 200 }), 'timeout');
    await fails(ask('broken'), 'reset');
    await fails(ask('endless', { responseBytesMax: 5 * MIB }), 'response-too-large');
    await fails(ask('endless', { responseBytesMax: 1_000 }), 'bad-frame');
    await fails(ask('many', { responseBytesMax: 1_000 }), 'response-too-large');
    await fails(ask('unknown'), 'unsupported-protocol');
    await fails(ask('silent', {}, new Uint8Array(MIB)), 'request-too-large');
    await fails(ask('silent', { signal: AbortSignal.timeout(100) }), 'aborted');
    await fails(ask('silent', { signal: AbortSignal.abort() }), 'aborted');
    await fails(asker.request.request('12D3KooWnobody', BLOCKS, Uint8Array.of(1), ASK), 'not-connected');
    await noStreamLeft(asker, server);
    await until(() => returned >= 1, 'the answers in progress were told to stop');
    assert.equal(asker.stats().peersRefused + server.stats().peersRefused, 0);
  });

  it('because the other side dies, fails at once', async (test) => {
    const { asker, server } = await pair(test);
    server.request.handle(BLOCKS, async function* () {
      yield Uint8Array.of(1);
      await new Promise(() => undefined);
    });
    const answer = fails(asker.request.request(server.self, BLOCKS, Uint8Array.of(1), ASK), 'reset');
    await pause(200);
    const startMs = performance.now();
    await server.close();
    await answer;
    assert.ok(performance.now() - startMs < 1_500);
    await assert.rejects(server.request.request(asker.self, BLOCKS, Uint8Array.of(1), ASK), { code: 'network/closed' });
  });
});

describe('a server of requests', () => {
  it('serves a peer at most at its rate', async (test) => {
    const { asker, server } = await pair(test, { limits: { requestRate: { perSecond: 5, burst: 10 } } });
    server.request.handle(BLOCKS, () => [Uint8Array.of(1)]);
    let served = 0;
    const startMs = performance.now();
    for (let count = 0; count < 30; count++) {
      await asker.request.request(server.self, BLOCKS, Uint8Array.of(1), ASK).then(
        () => served++,
        () => undefined,
      );
    }
    const most = 10 + (5 * (performance.now() - startMs)) / 1_000 + 1;
    assert.ok(served >= 10 && served <= most, `served ${served} of at most ${most}`);
    assert.equal((server.stats().refused['request-rate'] ?? 0) + served, 30);
    await noStreamLeft(asker, server);
  });

  it('serves a peer at most so many at a time, and gives up on what takes too long', async (test) => {
    const { asker, server } = await pair(test, { limits: { servedAtOncePerPeerAndProtocol: 3, servedMsMax: 700 } });
    server.request.handle(BLOCKS, async function* () {
      await new Promise(() => undefined);
      yield Uint8Array.of(1);
    });
    const startMs = performance.now();
    const asked = Array.from({ length: 5 }, () => fails(asker.request.request(server.self, BLOCKS, Uint8Array.of(1), ASK), 'reset'));
    await Promise.all(asked);
    assert.ok(performance.now() - startMs < 2_500);
    assert.equal(server.stats().refused['too-many-requests-at-once'], 2);
    await noStreamLeft(asker, server);
  });

  it('keeps to its own bound of asking', async (test) => {
    const { asker, server } = await pair(test, { limits: { askedAtOncePerPeer: 2 } });
    server.request.handle(BLOCKS, () => [Uint8Array.of(1)]);
    const ask = () => asker.request.request(server.self, BLOCKS, Uint8Array.of(1), ASK);
    const [first, second, third] = await Promise.allSettled([ask(), ask(), ask()]);
    assert.deepEqual([first.status, second.status, third.status], ['fulfilled', 'fulfilled', 'rejected']);
    await ask();
  });
});

async function pair(
  test: TestContext,
  options: Partial<Libp2pNetworkOptions> = {},
): Promise<{ asker: Libp2pNetwork; server: Libp2pNetwork }> {
  const [server] = (await startMesh(test, 1, options)) as [Libp2pNetwork];
  const asker = await startNetwork(test, 2, { ...options, peers: [addressOfNetwork(server)] });
  await until(() => asker.peers.connected().length === 1, 'the two are connected');
  return { asker, server };
}

async function fails(request: Promise<unknown>, failure: string): Promise<void> {
  await assert.rejects(request, (error: { code: string; facts: { failure: string; detail: string } }) => {
    assert.equal(error.code, 'network/request-failed');
    assert.equal(error.facts.failure, failure, error.facts.detail);
    return true;
  });
}

async function noStreamLeft(...networks: readonly Libp2pNetwork[]): Promise<void> {
  for (const network of networks) {
    const coppiceStreams = () => Object.keys(network.stats().streamsOpen).filter((protocol) => protocol.startsWith('/coppice/'));
    await until(() => coppiceStreams().length === 0, `no stream is left, but ${coppiceStreams()}`, 4_000);
  }
}
