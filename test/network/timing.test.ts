import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { steadyTiming } from '../../src/network/timing.ts';

describe('a steady clock', () => {
  it('goes on with the wall clock, and never back with it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -10_000, max: 10_000 })), (steps) => {
        let wallMs = 1_000_000;
        const steady = steadyTiming({ nowMs: () => wallMs, schedule: () => () => undefined });
        let beforeMs = steady.nowMs();
        for (const stepMs of steps) {
          wallMs += stepMs;
          const nowMs = steady.nowMs();
          assert.equal(nowMs - beforeMs, Math.max(0, stepMs));
          beforeMs = nowMs;
        }
      }),
    );
  });
});
