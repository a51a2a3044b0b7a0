import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REFUSED_MS } from '../../src/network/peer-score.ts';
import type { Network } from '../../src/network/ports.ts';
import { linksUnder, quietConditions } from '../../src/simulation/links.ts';
import { createMemoryNetwork, type MemoryNetwork } from '../../src/simulation/memory-network.ts';
import { SeededRandom } from '../../src/simulation/random.ts';
import { VirtualClock } from '../network/virtual-clock.ts';

const NAMES = ['a', 'b', 'c', 'd'];
const ASK = { timeoutMs: 1_000, responseBytesMax: 1_000 };

describe('the memory network', () => {
  it('delivers a published message once to every follower but its author', async () => {
    const { clock, node, log } = world();
    for (const name of NAMES) follow(node(name), log);
    assert.deepEqual(await node('a').pubSub.publish('t', Uint8Array.of(1)), { recipients: 3 });
    await clock.advance(100);
    assert.deepEqual([...log].sort(), ['b<1', 'c<1', 'd<1']);
  });

  it('reaches a node behind a cut link when another accepts', async () => {
    const { clock, node, log, memory } = world();
    for (const name of NAMES) follow(node(name), log);
    memory.setLink('a', 'd', false);
    assert.deepEqual(await node('a').pubSub.publish('t', Uint8Array.of(1)), { recipients: 2 });
    await clock.advance(100);
    assert.deepEqual([...log].sort(), ['b<1', 'c<1', 'd<1']);
  });

  it('repeats itself with the same seed and differs with another', async () => {
    const run = async (seed: number) => {
      const { clock, node, log } = world(seed);
      for (const name of NAMES) follow(node(name), log);
      for (let message = 0; message < 20; message++) await node('a').pubSub.publish('t', Uint8Array.of(message));
      await clock.advance(100);
      return log;
    };
    assert.deepEqual(await run(1), await run(1));
    assert.notDeepEqual(await run(1), await run(2));
  });

  it('answers requests with frames, and fails them in the ways of the port', async () => {
    const { clock, node, memory } = world();
    node('b').request.handle('p', function* (peer, body) {
      yield new TextEncoder().encode(peer);
      yield body;
    });
    node('b').request.handle('broken', () => {
      throw new Error('broken');
    });
    const answer = node('a').request.request('b', 'p', Uint8Array.of(9), ASK);
    await clock.advance(100);
    assert.deepEqual(await answer, [new TextEncoder().encode('a'), Uint8Array.of(9)]);
    await fails(clock, node('a').request.request('b', 'broken', Uint8Array.of(), ASK), 'reset');
    await fails(clock, node('a').request.request('c', 'p', Uint8Array.of(), ASK), 'unsupported-protocol');
    await fails(clock, node('a').request.request('b', 'p', new Uint8Array(5_000), ASK), 'response-too-large');
    await fails(clock, node('a').request.request('b', 'p', Uint8Array.of(), { ...ASK, signal: AbortSignal.abort() }), 'aborted');
    const late = node('a').request.request('b', 'p', Uint8Array.of(), ASK);
    memory.setUp('b', false);
    await fails(clock, late, 'timeout');
    await fails(clock, node('a').request.request('b', 'p', Uint8Array.of(), ASK), 'not-connected');
  });

  it('tells both sides of a link that comes and goes', () => {
    const { node, memory } = world();
    const changes: string[] = [];
    for (const name of ['a', 'b']) node(name).peers.onChange((peer, connected) => changes.push(`${name}:${peer}:${connected}`));
    memory.setLink('a', 'b', false);
    memory.setLink('a', 'b', false);
    assert.deepEqual(node('a').peers.connected(), ['c', 'd']);
    memory.setLink('a', 'b', true);
    assert.deepEqual(changes, ['a:b:false', 'b:a:false', 'a:b:true', 'b:a:true']);
  });

  it('refuses a peer that misbehaves, for a while', async () => {
    const { clock, node } = world();
    const changes: boolean[] = [];
    node('a').peers.onChange((_peer, connected) => changes.push(connected));
    node('a').peers.misbehaved('b', 'nonsense', 100);
    assert.deepEqual(node('b').peers.connected(), ['c', 'd']);
    await clock.advance(REFUSED_MS + 10);
    assert.deepEqual(node('b').peers.connected(), ['a', 'c', 'd']);
    assert.deepEqual(changes, [false, true]);
  });
});

function world(seed = 1): { clock: VirtualClock; memory: MemoryNetwork; node: (name: string) => Network; log: string[] } {
  const clock = new VirtualClock();
  const memory = createMemoryNetwork({ names: NAMES, links: linksUnder(quietConditions(5), new SeededRandom(seed)), clock });
  return { clock, memory, node: (name) => memory.networks.get(name) as Network, log: [] };
}

function follow(node: Network, log: string[]): void {
  node.pubSub.subscribe('t', ({ data }) => {
    log.push(`${node.self}<${data[0]}`);
    return 'accept';
  });
}

async function fails(clock: VirtualClock, request: Promise<unknown>, failure: string): Promise<void> {
  const rejected = assert.rejects(request, (error: { facts: { failure: string } }) => error.facts.failure === failure);
  await clock.advance(2_000);
  await rejected;
}
