// Beacon and shards of four nodes on virtual time: shard blocks refer to the beacon, the beacon crosslinks them, instances follow each other at the
// turns of epochs, and what is sent from shard to shard arrives once.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import { installHashtree } from '../../src/runtime/native/ssz-hashtree.ts';
import { type BeaconWorld, createBeaconWorld } from './beacon-world.ts';

const EPOCH_BLOCKS = 12;

function show({ beacons, shards }: BeaconWorld): string {
  return beacons
    .map((beacon, index) => {
      const chains = [...(shards[index]?.chains ?? [])].map(
        ([shard, { instance, blocks, runner }]) =>
          `${shard}@${instance.epoch}:${blocks.committed.facts.height}/r${runner.state.round}${runner.state.closed === undefined ? '' : 'C'}`,
      );
      const records = beacon.state.records.map(
        ({ record, progress, closed }) => `${record.shard}@${record.epoch}:${progress.height}${closed ? 'C' : ''}`,
      );
      return `[${beacon.state.height} ${records.join(' ')} | ${chains.join(' ')}]`;
    })
    .join(' ');
}

describe('beacon and shards of four nodes', () => {
  before(async () => {
    await installHashtree();
    await initialiseKeccak();
  });

  for (const layout of [[1], [2, 3], [4, 5, 3]]) {
    it(`makes shard blocks final, and turns epochs, in the layout ${layout}`, async () => {
      const world = await createBeaconWorld({ seed: 1, epochBlocks: EPOCH_BLOCKS, layout });
      for (let step = 0; step < 10; step++) {
        await world.run(1_500);
        if (process.env['SHOW']) console.log(show(world));
      }
      for (const [index, beacon] of world.beacons.entries()) {
        assert.ok(beacon.state.height > 3 * EPOCH_BLOCKS, show(world));
        for (const { record, progress } of beacon.state.records) {
          assert.ok(record.epoch >= 2, `a record of the epoch: ${show(world)}`);
          assert.ok(progress.height > 5, `crosslinked: ${show(world)}`);
          const chain = world.shards[index]?.chains.get(record.shard);
          assert.ok(chain !== undefined && chain.blocks.committed.facts.height >= progress.height - 4, show(world));
        }
      }
      const roots = world.beacons.map(({ state }) => state.records.map(({ progress }) => bytesToHex(progress.stateRoot)).join());
      assert.equal(new Set(roots).size, 1);
      await world.stop();
    });
  }
});
