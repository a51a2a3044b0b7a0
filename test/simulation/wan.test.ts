// The matrix of regions: whole, and nearly the same in both directions.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WAN_REGIONS, WAN_ROUND_TRIP_MS, wanOneWayMs } from '../../src/simulation/wan.ts';

/** As the ping goes, two directions of one link are the same; they were averaged over different samples. */
const DIFFERENCE_MS_MAX = 3;

describe('the matrix of regions', () => {
  it('has a round trip for each pair, as long in one direction as in the other', () => {
    assert.equal(WAN_ROUND_TRIP_MS.length, WAN_REGIONS.length);
    for (const from of WAN_REGIONS.keys())
      for (const to of WAN_REGIONS.keys()) {
        const [there, back] = [wanOneWayMs(from, to), wanOneWayMs(to, from)];
        const name = `${WAN_REGIONS[from]} to ${WAN_REGIONS[to]}`;
        assert.ok(there > 0 && there < 200, `${name}: ${there}`);
        assert.ok(2 * Math.abs(there - back) <= DIFFERENCE_MS_MAX, `${name}: ${there} there, ${back} back`);
      }
  });

  it('knows no other region', () => {
    assert.throws(() => wanOneWayMs(0, WAN_REGIONS.length), RangeError);
  });
});
