// What a beacon leader takes of what it has: everything that holds and fits, and of more than fits another share at each height.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { packBody } from '../../../src/core/beacon/pack-body.ts';
import { applyBeaconBlock } from '../../../src/core/beacon/transition.ts';
import type { ChainId } from '../../../src/core/primitives/ids.ts';
import { BlockBody } from '../../../src/core/protocol/block.ts';
import { installHashtree } from '../../../src/runtime/native/ssz-hashtree.ts';
import { PARAMETERS } from '../execution/block-setup.ts';
import {
  advance,
  advanceTo,
  type Beacon,
  beaconOf,
  chainOf,
  crosslinkOf,
  encoded,
  entryOf,
  extend,
  nextInput,
  smallGenesis,
} from './fixture.ts';

before(() => installHashtree());

const LAYOUT = Array.from({ length: 16 }, (_unused, place) => 16 + place);

function sixteenShards(bodyBytesMax = PARAMETERS.bodyBytesMax): Beacon {
  const beacon = beaconOf(smallGenesis({ validators: 4, layout: LAYOUT, parameters: { bodyBytesMax, epochBlocks: 64 } }));
  advanceTo(beacon, 2);
  return beacon;
}

/** A crosslink of a shard with so many headers, on the beacon's newest state. */
function crosslinkWith(beacon: Beacon, shard: ChainId, headers: number): Uint8Array {
  const chain = chainOf(beacon, entryOf(beacon, shard).record);
  for (let header = 0; header < headers; header++) extend(beacon, chain);
  return encoded(crosslinkOf(chain));
}

describe('the body of a beacon block', () => {
  it('holds what shards have to say after a long stall of the beacon in turns, each block within the bound of the network', () => {
    const beacon = sixteenShards(64 * 1024);
    const offered = new Map(LAYOUT.map((shard) => [shard, crosslinkWith(beacon, shard, 16)]));
    const whole = [...offered.values()].reduce((sum, { length }) => sum + length, 0);
    assert.ok(whole > 2 * 64 * 1024, 'more than two bodies of it');
    let blocks = 0;
    while (offered.size > 0) {
      const { body: _none, ...input } = nextInput(beacon);
      const body = packBody(input, { evidence: [], crosslinks: [...offered.values()] });
      assert.ok(BlockBody.value_serializedSize(body) <= 64 * 1024);
      assert.ok(body.crosslinks.length > 0, 'each block takes some');
      advance(beacon, body);
      for (const shard of LAYOUT) if (entryOf(beacon, shard).progress.height > 0) offered.delete(shard);
      blocks++;
    }
    assert.equal(blocks, Math.ceil(whole / (64 * 1024)));
  });

  it('begins with another shard at each height, and keeps the order in which they are offered', () => {
    const beacon = sixteenShards(64 * 1024);
    const crosslinks = LAYOUT.map((shard) => crosslinkWith(beacon, shard, 16));
    const taken = [0, 1, 2].map(() => {
      const { body: _none, ...input } = nextInput(beacon);
      const places = packBody(input, { evidence: [], crosslinks }).crosslinks.map((crosslink) => crosslinks.indexOf(crosslink));
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
      );
      advance(beacon);
      return places.join();
    });
    assert.equal(new Set(taken).size, 3);
  });

  it('leaves out what does not hold, and nothing else', () => {
    const beacon = sixteenShards();
    const good = LAYOUT.map((shard) => crosslinkWith(beacon, shard, 2));
    const chain = chainOf(beacon, entryOf(beacon, LAYOUT[3] as ChainId).record);
    for (let header = 0; header < 3; header++) extend(beacon, chain);
    const crosslinks = good.with(3, encoded(crosslinkOf(chain, { from: 1 })));
    const { body: _none, ...input } = nextInput(beacon);
    const body = packBody(input, { evidence: [Uint8Array.of(1)], crosslinks });
    assert.deepEqual(body.evidence, []);
    assert.deepEqual(body.crosslinks, crosslinks.toSpliced(3, 1));
    assert.ok(applyBeaconBlock({ ...input, body }).ok);
  });

  it('is refused where it is larger than the network permits', () => {
    const beacon = sixteenShards();
    const body = { crosslinks: LAYOUT.map((shard) => crosslinkWith(beacon, shard, 4)) };
    const { constants, ...input } = nextInput(beacon, body);
    const bytes = BlockBody.value_serializedSize(input.body);
    const reasonAt = (bodyBytesMax: number): string | undefined => {
      const verdict = applyBeaconBlock({ ...input, constants: { ...constants, parameters: { ...constants.parameters, bodyBytesMax } } });
      return verdict.ok ? undefined : verdict.reason;
    };
    assert.equal(reasonAt(bytes), undefined);
    assert.equal(reasonAt(bytes - 1), 'body-too-large');
  });
});
