// Pointer proofs come from nodes of the shards that they are of: through peers that have none, or lie, and no later than a block can wait.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import type { Address } from '../../src/core/primitives/ids.ts';
import type { BeaconView } from '../../src/core/shard/beacon-view.ts';
import { decodePointerProof, verifyPointerProof } from '../../src/core/shard/pointer-proof.ts';
import type { PeerName, RequestHandler } from '../../src/network/ports.ts';
import { linksUnder, quietConditions } from '../../src/simulation/links.ts';
import { createMemoryNetwork, type MemoryNetwork } from '../../src/simulation/memory-network.ts';
import { SeededRandom } from '../../src/simulation/random.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import { PointerFetch } from '../../src/sync/pointer-fetch.ts';
import { encodePointersRequest, POINTERS_PROTOCOL } from '../../src/sync/pointer-protocol.ts';
import { servePointers } from '../../src/sync/pointer-server.ts';
import { FAR_CONTRACT as CONTRACT, proofOf, NO_CONTRACT as STRANGER, viewWith } from '../core/shard/shard-setup.ts';

const READER = 'reader';
const LINK_MS = 5;
const EPOCH_BLOCKS = 10;

type Prove = (target: Address, beaconHeight: number) => Uint8Array | undefined;

interface World {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly fetch: PointerFetch;
  /** Who was asked for how many, at which height. */
  readonly asked: { readonly peer: PeerName; readonly height: number }[];
}

function worldOf(peers: Readonly<Record<PeerName, Prove | 'silent'>>): World {
  const clock = new VirtualClock(0);
  const links = linksUnder(quietConditions(LINK_MS), new SeededRandom(1, 'links'));
  const network = createMemoryNetwork({ names: [READER, ...Object.keys(peers)], links, clock });
  const own = network.networks.get(READER);
  assert.ok(own !== undefined);
  const asked: World['asked'] = [];
  for (const [peer, prove] of Object.entries(peers)) {
    const request = network.networks.get(peer)?.request;
    assert.ok(request !== undefined);
    const onBadRequest = (_peer: PeerName, reason: string): void => assert.fail(reason);
    if (prove === 'silent') request.handle(POINTERS_PROTOCOL, silent);
    else
      servePointers(request, {
        prove: (target, height) => {
          asked.push({ peer, height });
          return prove(target, height);
        },
        clock,
        onBadRequest,
      });
  }
  const fetch = new PointerFetch({
    network: own,
    peersOf: () => Object.keys(peers),
    lastHeightOf: (epoch) => (epoch + 1) * EPOCH_BLOCKS,
    clock,
  });
  return { clock, network, fetch, asked };
}

async function* silent(): AsyncGenerator<Uint8Array> {
  await new Promise(() => undefined);
}

/** How long a block waited. */
async function prepared({ clock, fetch }: World, view: BeaconView, targets: readonly Address[] = [CONTRACT]): Promise<number> {
  const beganMs = clock.nowMs();
  await clock.drive(fetch.prepare(targets, view));
  return clock.nowMs() - beganMs;
}

function familyOf(encoded: Uint8Array | undefined, view: BeaconView): Address | undefined {
  assert.ok(encoded !== undefined);
  const decoded = decodePointerProof(encoded);
  assert.ok(decoded.ok);
  const verified = verifyPointerProof(decoded.value, view);
  assert.ok(verified.ok, JSON.stringify(verified));
  return verified.value;
}

describe('a pointer of another shard', () => {
  before(() => initialiseKeccak());

  const view = viewWith();
  const honest: Prove = (target) => proofOf(target);

  it('is proved at the end of the last epoch, once for all blocks of the next', async () => {
    const world = worldOf({ one: honest });
    assert.equal(world.fetch.get(CONTRACT, view), undefined);
    assert.equal(await prepared(world, view), 2 * LINK_MS);
    assert.deepEqual(world.asked, [{ peer: 'one', height: 3 * EPOCH_BLOCKS }]);
    assert.ok(familyOf(world.fetch.get(CONTRACT, view), view) !== undefined);
    assert.equal(await prepared(world, viewWith({ height: 35 })), 0);
    assert.equal(await prepared(world, viewWith({ height: 41, epoch: 4, worldRootOfEpoch: () => sha256() })), 0, 'it is there for ever');
    assert.equal(world.asked.length, 1);
  });

  it('is looked for again in the next epoch when there was none', async () => {
    const world = worldOf({ one: honest });
    await prepared(world, view, [STRANGER]);
    assert.equal(familyOf(world.fetch.get(STRANGER, view), view), undefined);
    await prepared(world, viewWith({ height: 33 }), [STRANGER]);
    assert.equal(world.asked.length, 1);
    await prepared(world, viewWith({ height: 41, epoch: 4, worldRootOfEpoch: view.worldRootOfEpoch }), [STRANGER]);
    const next = viewWith({ height: 41, epoch: 4, worldRootOfEpoch: () => view.worldRoot });
    await prepared(world, next, [STRANGER]);
    assert.deepEqual(world.asked.at(-1), { peer: 'one', height: 4 * EPOCH_BLOCKS });
  });

  it('is proved at the reference in the first epoch, for blocks with that reference', async () => {
    const world = worldOf({ one: honest });
    const first = viewWith({ height: 7, epoch: 0, worldRootOfEpoch: () => undefined });
    await prepared(world, first);
    assert.deepEqual(world.asked, [{ peer: 'one', height: 7 }]);
    assert.ok(familyOf(world.fetch.get(CONTRACT, first), first) !== undefined);
    assert.equal(world.fetch.get(CONTRACT, { ...first, height: 8 }), undefined);
  });

  it('is asked of others where one has it not, and whoever lies is counted', async () => {
    const world = worldOf({ none: () => undefined, liar: () => proofOf(STRANGER), one: honest });
    await prepared(world, view);
    assert.ok(familyOf(world.fetch.get(CONTRACT, view), view) !== undefined);
    assert.deepEqual(world.network.offences(), { 'bad-pointer-proof': 1 });
    assert.deepEqual(
      world.asked.map(({ peer }) => peer),
      ['none', 'liar', 'one'],
    );
  });

  it('holds a block up for a moment only, and the next not at all while nobody answers', async () => {
    const world = worldOf({ one: 'silent' });
    assert.equal(await prepared(world, view), 200);
    await world.clock.run(world.clock.nowMs() + 5_000);
    assert.equal(await prepared(world, view), 0);
    assert.equal(world.fetch.get(CONTRACT, view), undefined);
    world.fetch.stop();
  });

  it('is not served to who asks for nothing', async () => {
    const { network } = worldOf({ one: honest });
    const clock = new VirtualClock(0);
    const bad: string[] = [];
    let handler: RequestHandler = () => [];
    const handle = (_protocol: string, given: RequestHandler): void => {
      handler = given;
    };
    servePointers({ handle, request: async () => [] }, { prove: honest, clock, onBadRequest: (_peer, reason) => bad.push(reason) });
    for (const body of [encodePointersRequest({ beaconHeight: 1, targets: [] }), Uint8Array.of(1)])
      for await (const _frame of handler('peer', body)) assert.fail('a frame');
    assert.deepEqual(bad, ['bad-pointers-request', 'bad-pointers-request']);
    assert.deepEqual(network.offences(), {});
  });
});
