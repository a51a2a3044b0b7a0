// Exactly once and in order, whatever the layout does meanwhile (protocol, section 1, property 5), and that each ⚠ of the lanes is needed for it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { drawFrom } from '../protocol/generate-value.ts';
import { RULES_ALONE, runModel } from './lane-model.ts';
import { BROKEN_RULES, RULES } from './lane-rules.ts';

/** Ten times as many in test/simulation/lanes.test.ts. */
const RUNS = 60;
const STEPS_MAX = 120;
/** A broken rule shows within so many runs. */
const BROKEN_RUNS_MAX = 400;

describe('messages between shards that split, merge and fail', () => {
  it('are taken exactly once, in order, by cursors that are always in normal form', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: 10, max: STEPS_MAX }), (seed, steps) => {
        runModel(drawFrom(seed), steps, RULES, RULES_ALONE);
      }),
      { numRuns: RUNS },
    );
  });

  for (const [name, broken] of Object.entries(BROKEN_RULES)) {
    it(`are not where ${name}`, () => {
      const found = Array.from({ length: BROKEN_RUNS_MAX }, (_unused, seed) => seed).find((seed) => breaks(seed, broken));
      assert.ok(found !== undefined, `nothing showed in ${BROKEN_RUNS_MAX} runs`);
    });
  }
});

function breaks(seed: number, broken: Partial<typeof RULES>): boolean {
  try {
    runModel(drawFrom(seed), STEPS_MAX, { ...RULES, ...broken }, RULES_ALONE);
    return false;
  } catch {
    return true;
  }
}
