// The beacon of four nodes on virtual time: its instances follow each other at the turns of epochs, on a bad network and over
// crashes, and all nodes have the same state.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { epochOfHeight } from '../../src/core/beacon/epochs.ts';
import { layoutOfEpoch } from '../../src/core/beacon/state.ts';
import { stateRootOf } from '../../src/core/beacon/state-root.ts';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import { BEACON_CHAIN } from '../../src/core/primitives/ids.ts';
import { type BeaconWorld, createBeaconWorld } from './beacon-world.ts';
import { prepareHashes } from './hashes.ts';

const EPOCH_BLOCKS = 8;
const RUN_MS = 20_000;

function heightOf({ beacons }: BeaconWorld, index: number): number {
  return beacons[index]?.chain.blocks.committed.facts.height ?? 0;
}

/** Every node has the same block at each height that it committed and another one too, and the same state where they stand at one height. */
function assertAgreement(world: BeaconWorld): void {
  const highest = Math.max(...world.beacons.map((_beacon, index) => heightOf(world, index)));
  for (let height = 0; height <= highest; height++) {
    const hashes = new Set(world.beacons.map((_beacon, index) => world.beaconHashAt(index, height)).filter((hash) => hash !== undefined));
    assert.equal(hashes.size, 1, `height ${height}: ${[...hashes]}`);
  }
  const states = new Map<number, string>();
  for (const { state } of world.beacons) {
    const root = bytesToHex(stateRootOf(state));
    assert.equal(states.get(state.height) ?? root, root, `the state at height ${state.height}`);
    states.set(state.height, root);
  }
}

describe('the beacon of four nodes', () => {
  before(async () => {
    await prepareHashes();
  });

  it('goes from epoch to epoch at the pace of an idle network, each with an instance and a seed of its own', async () => {
    const world = await createBeaconWorld({ seed: 1, epochBlocks: EPOCH_BLOCKS });
    await world.run(3 * RUN_MS);
    const heights = [0, 1, 2, 3].map((index) => heightOf(world, index));
    assert.ok(Math.min(...heights) > 5 * EPOCH_BLOCKS, `heights ${heights}`);
    const { idleIntervalMs, beaconBlockIntervalMsMin } = world.genesis.parameters;
    // Two blocks of each epoch are for the closing blocks of the shard's instance, which wait for nothing.
    const mostMs =
      heights[0] === undefined ? 0 : (3 * RUN_MS) / idleIntervalMs + (2 * 3 * RUN_MS) / (EPOCH_BLOCKS * beaconBlockIntervalMsMin);
    assert.ok(Math.max(...heights) <= mostMs, `heights ${heights}, at most ${mostMs}`);
    assertAgreement(world);
    for (const beacon of world.beacons) {
      const { instance, blocks } = beacon.chain;
      const { height, timestampMs } = blocks.committed.facts;
      assert.equal(instance.chain, BEACON_CHAIN);
      assert.equal(instance.epoch, epochOfHeight(height + (height % EPOCH_BLOCKS === 0 ? 1 : 0), { epochBlocks: EPOCH_BLOCKS }));
      assert.equal(beacon.state.height, height);
      assert.equal(beacon.state.timestampMs, timestampMs);
      assert.ok(layoutOfEpoch(beacon.state, instance.epoch + 1) !== undefined, 'the next committees are drawn');
      const known = beacon.state.instances.filter(({ record }) => record.shard === BEACON_CHAIN);
      const own = known.map(({ instanceId }) => bytesToHex(instanceId));
      assert.ok(
        own.length > 4 && new Set(own).size === own.length,
        'evidence may be of the beacon itself, and each epoch has its instance',
      );
    }
    const seeds = world.beacons[0]?.state.seeds.map(({ seed }) => bytesToHex(seed)) ?? [];
    assert.equal(new Set(seeds).size, seeds.length);
    await world.stop();
  });

  for (const seed of [2, 3, 4]) {
    it(`closes its epochs with messages lost, late and twice, and a node that comes and goes (seed ${seed})`, async () => {
      const world = await createBeaconWorld({ seed, epochBlocks: EPOCH_BLOCKS, lossShare: 0.15, latencyMs: 30 });
      for (let round = 0; round < 6; round++) {
        await world.run(RUN_MS / 5);
        await world.restart(round % 4, round % 2 === 0 ? 'killed' : 'power-lost', 700 * round);
      }
      world.links.lossShare = 0;
      await world.run(2 * RUN_MS);
      const heights = [0, 1, 2, 3].map((index) => heightOf(world, index));
      assert.ok(Math.min(...heights) > 3 * EPOCH_BLOCKS, `heights ${heights}`);
      assert.ok(Math.max(...heights) - Math.min(...heights) <= 2, `heights ${heights}`);
      assertAgreement(world);
      await world.stop();
    });
  }

  it('takes back a node that was away for epochs, instance by instance', async () => {
    // Of this seed the node that is away leads no more rounds than is its share.
    const world = await createBeaconWorld({ seed: 7, epochBlocks: EPOCH_BLOCKS });
    await world.run(1_000);
    await world.restart(2, 'power-lost', 60_000);
    const missed = heightOf(world, 0) - heightOf(world, 2);
    assert.ok(missed > 2 * EPOCH_BLOCKS, `${missed} blocks missed`);
    await world.run(RUN_MS / 2);
    assert.ok(heightOf(world, 0) - heightOf(world, 2) <= 2, `heights ${heightOf(world, 0)} and ${heightOf(world, 2)}`);
    assertAgreement(world);
    await world.stop();
  });

  it('starts again where it ended, all at once, at any block of an epoch', async () => {
    const world = await createBeaconWorld({ seed: 5, epochBlocks: EPOCH_BLOCKS });
    for (let life = 0; life < 8; life++) {
      await world.run(1_900);
      const before = world.beacons.map((beacon) => beacon.state.height);
      for (const index of [0, 1, 2, 3]) world.end(index, 'killed');
      for (const index of [0, 1, 2, 3]) await world.start(index);
      for (const [index, beacon] of world.beacons.entries()) assert.ok(beacon.state.height >= (before[index] ?? 0), 'nothing is lost');
    }
    await world.run(RUN_MS / 2);
    assertAgreement(world);
    const roots = new Set(world.beacons.map((beacon) => beacon.state).map((state) => `${state.height} ${bytesToHex(stateRootOf(state))}`));
    assert.ok(roots.size <= 2, [...roots].join(', '));
    assert.ok(heightOf(world, 0) > 2 * EPOCH_BLOCKS, `height ${heightOf(world, 0)}`);
    await world.stop();
  });
});
