// The model of the lanes at length: with rules alone, and with real messages, proofs, inboxes and shares.
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { REAL_MESSAGES } from '../core/messaging/lane-messages.ts';
import { RULES_ALONE, runModel } from '../core/messaging/lane-model.ts';
import { RULES } from '../core/messaging/lane-rules.ts';
import { drawFrom } from '../core/protocol/generate-value.ts';

const RUNS = 2_000;
const REAL_RUNS = 150;
const seeds = fc.integer({ min: 0, max: 2 ** 31 });

describe('messages between shards that split, merge and fail', () => {
  it('are taken exactly once and in order, over long lives', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 10, max: 250 }), (seed, steps) => runModel(drawFrom(seed), steps, RULES, RULES_ALONE)),
      { numRuns: RUNS },
    );
  });

  it('are taken exactly once and in order where leaders choose and voters check them', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 10, max: 120 }), (seed, steps) => runModel(drawFrom(seed), steps, RULES, REAL_MESSAGES)),
      { numRuns: REAL_RUNS },
    );
  });
});
