// How many bytes a node serves: to each peer, and to all.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import { type ByteRates, ByteRation } from '../../src/sync/byte-ration.ts';

describe('the ration of what is served', () => {
  const rates: ByteRates = { ofPeer: { perSecond: 10, burst: 20 }, inAll: { perSecond: 30, burst: 50 } };

  it('is each peer’s own, and that of all', () => {
    const ration = new ByteRation(new VirtualClock(0), rates);
    assert.deepEqual(
      ['a', 'a', 'a', 'b', 'b', 'c'].map((peer) => ration.admits(peer, 10)),
      [true, true, false, true, true, true],
    );
    assert.equal(ration.admits('d', 1), false);
  });

  it('counts nothing that is not served, and fills again', async () => {
    const clock = new VirtualClock(0);
    const ration = new ByteRation(clock, rates);
    assert.equal(ration.admits('a', 21), false);
    assert.equal(ration.admits('a', 20), true);
    await clock.run(1_000);
    assert.equal(ration.admits('a', 11), false);
    assert.equal(ration.admits('a', 10), true);
  });

  it('is remembered of so many peers, the latest ones', () => {
    const ration = new ByteRation(new VirtualClock(0), { ofPeer: rates.ofPeer, inAll: { perSecond: 0, burst: 1_000_000 } });
    assert.equal(ration.admits('a', 20), true);
    for (let n = 0; n < 1_023; n++) ration.admits(`peer ${n}`, 1);
    assert.equal(ration.admits('a', 1), false);
    ration.admits('one more', 1);
    assert.equal(ration.admits('a', 1), true);
  });
});
