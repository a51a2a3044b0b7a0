// Bundles go from nodes that hold them to shards that want them, over requests: through peers that have none, go away or lie.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { type BundleName, type BundlePlace, bundleNameOf } from '../../src/core/messaging/lane-view.ts';
import { makeOutbox } from '../../src/core/messaging/outbox.ts';
import type { WantedBundle } from '../../src/core/messaging/wanted-bundles.ts';
import type { PeerName, RequestHandler } from '../../src/network/ports.ts';
import { linksUnder, quietConditions } from '../../src/simulation/links.ts';
import { createMemoryNetwork, type MemoryNetwork } from '../../src/simulation/memory-network.ts';
import { SeededRandom } from '../../src/simulation/random.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import { BundleFetch, type FetchedBundle } from '../../src/sync/bundle-fetch.ts';
import {
  BUNDLES_PER_REQUEST_MAX,
  BUNDLES_PROTOCOL,
  decodeBundleFrame,
  decodeBundlesRequest,
  encodeBundleFrame,
  encodeBundlesRequest,
} from '../../src/sync/bundle-protocol.ts';
import { serveBundles } from '../../src/sync/bundle-server.ts';
import type { ByteRates } from '../../src/sync/byte-ration.ts';
import { familiesIn, messageTo } from '../core/messaging/messages.ts';

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const READER = 'reader';
const HEIGHTS = 5;

let outboxes: readonly ReturnType<typeof makeOutbox>[];
let wanted: readonly WantedBundle[];

before(async () => {
  await initialiseKeccak();
  // Shard 3 sends to both halves of 2, at each height.
  outboxes = Array.from({ length: HEIGHTS }, (_unused, at) => {
    const messages = [...familiesIn(4, 3), ...familiesIn(5, 2)].map((family, n) => messageTo(family, 100 * at + n));
    return makeOutbox(3, at + 1, messages, new Set([3, 4, 5]));
  });
  wanted = outboxes.map(({ summary }, at) => ({
    place: { source: 3, height: at + 1, bundle: 0 },
    outbox: { height: at + 1, summary, anchor: { beaconHeight: at + 1, operationIndex: 0, headerHeight: at + 2 } },
  }));
});

const bundleAt = ({ source, height, bundle }: BundlePlace) => (source === 3 ? outboxes[height - 1]?.bundles[bundle] : undefined);
const namesOf = (bundles: readonly { readonly place: BundlePlace }[]): readonly BundleName[] =>
  bundles.map(({ place }) => bundleNameOf(place));

function serving(clock: VirtualClock, find = bundleAt, rates?: ByteRates): RequestHandler {
  let handler: RequestHandler = () => [];
  const handle = (_protocol: string, given: RequestHandler): void => {
    handler = given;
  };
  const onBadRequest = (_peer: PeerName, reason: string): void => assert.fail(reason);
  const more = rates === undefined ? {} : { rates };
  serveBundles({ handle, request: async () => [] }, { bundleAt: find, clock, onBadRequest, ...more });
  return handler;
}

interface World {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly fetch: BundleFetch;
  readonly fetched: FetchedBundle[];
  /** Who was asked for how many, and when. */
  readonly asked: { readonly peer: PeerName; readonly places: number; readonly atMs: number }[];
  mostAtOnce: number;
}

function worldOf(peers: Readonly<Record<PeerName, (clock: VirtualClock) => RequestHandler>>, peersOf: readonly PeerName[] = []): World {
  const clock = new VirtualClock(0);
  const links = linksUnder(quietConditions(5), new SeededRandom(1, 'links'));
  const network = createMemoryNetwork({ names: [READER, ...Object.keys(peers)], links, clock });
  const own = network.networks.get(READER);
  assert.ok(own !== undefined);
  const fetched: FetchedBundle[] = [];
  const world: World = {
    clock,
    network,
    fetched,
    asked: [],
    mostAtOnce: 0,
    fetch: new BundleFetch({
      network: own,
      peersOf: () => peersOf,
      onBundles: (bundles) => fetched.push(...bundles),
      clock,
      logger: SILENT,
    }),
  };
  let open = 0;
  for (const [peer, make] of Object.entries(peers)) {
    const handler = make(clock);
    network.networks.get(peer)?.request.handle(BUNDLES_PROTOCOL, async function* (from, body) {
      const places = decodeBundlesRequest(body);
      assert.ok(places.ok);
      world.asked.push({ peer, places: places.value.length, atMs: clock.nowMs() });
      open++;
      world.mostAtOnce = Math.max(world.mostAtOnce, open);
      try {
        yield* handler(from, body);
      } finally {
        open--;
      }
    });
  }
  return world;
}

const holder = (clock: VirtualClock): RequestHandler => serving(clock);
const without = (clock: VirtualClock): RequestHandler => serving(clock, () => undefined);

describe('bundles that a shard wants', () => {
  it('are fetched in one question, verified, and handed on together', async () => {
    const world = worldOf({ a: holder });
    world.fetch.want(4, wanted);
    assert.equal(world.fetch.missing, HEIGHTS);
    await world.clock.run(100);
    assert.deepEqual(namesOf(world.fetched), namesOf(wanted));
    assert.deepEqual(
      world.fetched.map(({ bundle }) => bundle.messages),
      outboxes.map(({ bundles }) => bundles[0]?.messages),
    );
    assert.equal(world.asked.length, 1);
    assert.equal(world.fetch.missing, 0);
    assert.deepEqual(world.network.offences(), {});
  });

  it('come from the source’s committee first, and from others where nobody of it answers', async () => {
    const world = worldOf({ a: without, b: holder, c: holder }, ['c']);
    world.fetch.want(4, wanted);
    await world.clock.run(100);
    assert.deepEqual(
      world.asked.map(({ peer }) => peer),
      ['c'],
    );
    world.network.setUp('c', false);
    world.fetch.want(
      5,
      wanted.map((one) => ({ ...one, place: { ...one.place, bundle: 1 } })),
    );
    await world.clock.run(1_000);
    assert.equal(world.fetched.length, 2 * HEIGHTS);
  });

  it('are asked of one peer after the other, ever less often, until somebody has them', async () => {
    let isThere = false;
    const later = (clock: VirtualClock): RequestHandler => serving(clock, (place) => (isThere ? bundleAt(place) : undefined));
    const world = worldOf({ a: later, b: later });
    world.fetch.want(4, wanted);
    await world.clock.run(60_000);
    assert.deepEqual(
      world.asked.slice(0, 4).map(({ peer }) => peer),
      ['a', 'b', 'a', 'b'],
    );
    assert.ok(world.asked.length < 22, `${world.asked.length} questions in a minute`);
    isThere = true;
    await world.clock.run(66_000);
    assert.equal(world.fetched.length, HEIGHTS);
    assert.deepEqual(world.network.offences(), {});
  });

  it('are waited for where nobody is connected', async () => {
    const world = worldOf({ a: holder });
    world.network.setUp('a', false);
    world.fetch.want(4, wanted);
    await world.clock.run(3_000);
    world.network.setUp('a', true);
    await world.clock.run(9_000);
    assert.equal(world.fetched.length, HEIGHTS);
  });

  it('are not asked for any more when they are wanted no longer, nor handed on', async () => {
    const world = worldOf({ a: without });
    world.fetch.want(4, wanted);
    world.fetch.want(5, wanted.slice(1, 2));
    await world.clock.run(1_000);
    world.fetch.want(4, []);
    await world.clock.run(10_000);
    assert.equal(world.asked.at(-1)?.places, 1);
    const late = worldOf({ a: holder });
    late.fetch.want(4, wanted);
    late.fetch.want(4, wanted.slice(3));
    await late.clock.run(1_000);
    assert.deepEqual(namesOf(late.fetched), namesOf(wanted.slice(3)));
  });

  it('are asked for in few questions at once, to each peer and in all', async () => {
    const many = Array.from({ length: 40 * BUNDLES_PER_REQUEST_MAX }, (_unused, at) => {
      const one = wanted[at % HEIGHTS] as WantedBundle;
      return { ...one, place: { ...one.place, height: 1_000 + at } };
    });
    for (const [peers, most] of [
      [['a'], 2],
      [['a', 'b', 'c', 'd', 'e', 'f'], 8],
    ] as const) {
      const slow = (clock: VirtualClock): RequestHandler =>
        async function* () {
          await new Promise<void>((resolve) => clock.schedule(50, resolve));
        };
      const world = worldOf(Object.fromEntries(peers.map((peer) => [peer, slow])));
      world.fetch.want(4, many);
      await world.clock.run(500);
      assert.equal(world.mostAtOnce, most);
      assert.ok(world.asked.every(({ places }) => places <= BUNDLES_PER_REQUEST_MAX));
      world.fetch.stop();
    }
  });

  it('are not asked for after the end', async () => {
    const world = worldOf({ a: without });
    world.fetch.want(4, wanted);
    await world.clock.run(1_000);
    const { length } = world.asked;
    world.fetch.stop();
    await world.clock.run(30_000);
    assert.equal(world.asked.length, length);
  });
});

describe('a peer that lies about bundles', () => {
  const lies: Readonly<Record<string, () => readonly Uint8Array[]>> = {
    'with no bundle': () => [Uint8Array.of(1, 2, 3)],
    'with a message missing': () => {
      const bundle = bundleAt(wanted[0]?.place as BundlePlace);
      assert.ok(bundle !== undefined);
      return [encodeBundleFrame({ ...bundle, messages: bundle.messages.slice(1) })];
    },
    'with other messages': () => {
      const [one, other] = [bundleAt({ source: 3, height: 1, bundle: 0 }), bundleAt({ source: 3, height: 2, bundle: 0 })];
      assert.ok(one !== undefined && other !== undefined);
      return [encodeBundleFrame({ ...other, place: one.place })];
    },
    'with a bundle that was not asked for': () => {
      const other = bundleAt({ source: 3, height: 1, bundle: 1 });
      assert.ok(other !== undefined);
      return [encodeBundleFrame(other)];
    },
    'with a bundle twice': () => {
      const bundle = bundleAt({ source: 3, height: 1, bundle: 0 });
      assert.ok(bundle !== undefined);
      return [encodeBundleFrame(bundle), encodeBundleFrame(bundle)];
    },
  };
  for (const [name, answer] of Object.entries(lies)) {
    it(`${name} is found out, and an honest one asked`, async () => {
      const world = worldOf({ a: () => answer, b: holder });
      world.fetch.want(4, wanted);
      await world.clock.run(1_000);
      assert.deepEqual([...namesOf(world.fetched)].sort(), [...namesOf(wanted)].sort());
      assert.deepEqual(world.network.offences(), { 'bad-bundle': 1 });
    });
  }
});

describe('a server of bundles', () => {
  const ask = async (handler: RequestHandler, places: readonly BundlePlace[]): Promise<readonly Uint8Array[]> => {
    const frames: Uint8Array[] = [];
    for await (const frame of handler('peer', encodeBundlesRequest(places))) frames.push(frame);
    return frames;
  };

  it('gives what it holds of what was asked for, in that order', async () => {
    const places = [
      { source: 3, height: 4, bundle: 1 },
      { source: 9, height: 1, bundle: 0 },
      { source: 3, height: 1, bundle: 7 },
      { source: 3, height: 2, bundle: 0 },
    ];
    const frames = await ask(serving(new VirtualClock(0)), places);
    const read = frames.map((frame) => decodeBundleFrame(frame));
    assert.deepEqual(
      read.map((frame) => frame.ok && bundleNameOf(frame.value.place)),
      ['3/4/1', '3/2/0'],
    );
  });

  it('serves so many bytes, and more after a while', async () => {
    const clock = new VirtualClock(0);
    const bundle = bundleAt({ source: 3, height: 1, bundle: 0 });
    assert.ok(bundle !== undefined);
    const bytes = encodeBundleFrame(bundle).length;
    const rate = { perSecond: bytes, burst: 2.5 * bytes };
    const serve = serving(clock, undefined, { ofPeer: rate, inAll: rate });
    const places = [1, 2, 3, 4].map((height) => ({ source: 3, height, bundle: 0 }));
    assert.equal((await ask(serve, places)).length, 2);
    await clock.run(1_000);
    assert.equal((await ask(serve, places)).length, 1);
  });

  it('blames whoever asks for nothing, or in no language', () => {
    const reasons: string[] = [];
    let handler: RequestHandler = () => [];
    const handle = (_protocol: string, given: RequestHandler): void => {
      handler = given;
    };
    const onBadRequest = (_peer: PeerName, reason: string): void => void reasons.push(reason);
    serveBundles({ handle, request: async () => [] }, { bundleAt, clock: new VirtualClock(0), onBadRequest });
    for (const body of [encodeBundlesRequest([]), Uint8Array.of(1)])
      assert.deepEqual([...(handler('peer', body) as Iterable<Uint8Array>)], []);
    assert.deepEqual(reasons, ['bad-bundles-request', 'bad-bundles-request']);
  });
});
