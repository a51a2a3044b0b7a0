// What is left of a crosslink after another one is a crosslink by the beacon's own rules.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { judgeCrosslink } from '../../../src/core/beacon/crosslink.ts';
import { restOfCrosslink } from '../../../src/core/beacon/rest-of-crosslink.ts';
import type { OutboxSummary } from '../../../src/core/protocol/outbox.ts';
import {
  advance,
  advanceTo,
  beaconOf,
  chainOf,
  crosslinkOf,
  emitting,
  encoded,
  entryOf,
  extend,
  nextInput,
  outboxTo,
  smallGenesis,
} from './fixture.ts';

describe('the rest of a crosslink', () => {
  it('is what the record has not got, with its outboxes, and is taken', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 8 }), (blocks, anchored) => {
        const beacon = beaconOf(smallGenesis({ layout: [2, 3] }));
        advanceTo(beacon, 4);
        const chain = chainOf(beacon, entryOf(beacon, 2).record);
        const outboxes = new Map<number, OutboxSummary>();
        const taken = Math.min(anchored, blocks);
        for (let block = 0; block < blocks; block++) {
          // The header of a block commits what its parent sent.
          const sent = block > 0 && block % 2 === 0 ? outboxTo(3) : undefined;
          const header = extend(beacon, chain, sent === undefined ? {} : { execution: emitting(sent) });
          if (sent !== undefined) outboxes.set(header.height - 1, sent);
          if (block + 1 === taken) advance(beacon, { crosslinks: [encoded(crosslinkOf(chain, { outboxes }))] });
        }
        const whole = crosslinkOf(chain, { outboxes });
        const rest = restOfCrosslink(whole, entryOf(beacon, 2).progress);
        if (taken === blocks) return assert.equal(rest, undefined);
        assert.deepEqual(rest, crosslinkOf(chain, { from: taken, outboxes }));
        const { constants, state, block, beaconHashAt } = nextInput(beacon);
        const judged = judgeCrosslink({ constants, state: { ...state, height: block.height }, encoded: encoded(rest), beaconHashAt });
        assert.ok(judged.ok, judged.ok ? '' : judged.reason);
      }),
      { numRuns: 40 },
    );
  });

  it('is nothing where the headers do not follow the record, and the whole where there are none', () => {
    const beacon = beaconOf(smallGenesis({}));
    advanceTo(beacon, 2);
    const chain = chainOf(beacon, entryOf(beacon, 1).record);
    for (let block = 0; block < 3; block++) extend(beacon, chain);
    assert.equal(restOfCrosslink(crosslinkOf(chain, { from: 1 }), entryOf(beacon, 1).progress), undefined);
    const empty = crosslinkOf(chain, { from: 3 });
    assert.equal(restOfCrosslink(empty, entryOf(beacon, 1).progress), empty);
  });
});
