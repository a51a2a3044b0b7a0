// Long work for a client lets the node live.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startWork } from '../../src/rpc/pacing.ts';

describe('long work', () => {
  it('goes on while its turn lasts, rests when it is over, and then has another turn', async () => {
    let nowMs = 0;
    let rests = 0;
    const rest = startWork({
      nowMs: () => nowMs,
      schedule: (_delayMs, callback) => {
        rests += 1;
        nowMs += 100;
        callback();
        return () => {};
      },
    });
    for (let step = 0; step < 32; step++) {
      nowMs += 1;
      await rest();
    }
    assert.equal(rests, 4, 'every 8 ms of work');
  });
});
