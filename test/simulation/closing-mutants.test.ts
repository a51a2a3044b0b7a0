// The rules by which an instance ends, taken away one at a time: schedules that end their instance see each of them missing.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { installHashtree } from '../../src/runtime/native/ssz-hashtree.ts';
import { runClosingSeed } from '../core/consensus/closing-schedules.ts';
import { standInCrypto } from '../core/consensus/driver-crypto.ts';
import { noHits } from '../core/consensus/driver-invariants.ts';
import { CLOSING_MUTANTS, loadMutant, NO_MUTANT } from './engine-mutants.ts';

const SCHEDULES = 40;
/** Apart from those of test/simulation/model-replay.test.ts, which may run in one process. */
const FIRST_NUMBER = 1_000;

before(() => installHashtree());

/** The first seed at which something does not hold, and what. */
async function firstFailure(mutant: (typeof CLOSING_MUTANTS)[number], number: number): Promise<string | undefined> {
  const engine = await loadMutant(mutant, number);
  const crypto = standInCrypto();
  for (let seed = 0; seed < SCHEDULES; seed++) {
    try {
      runClosingSeed(seed, 4, crypto, noHits(), engine);
    } catch (error) {
      return `seed ${seed}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`;
    }
  }
  return undefined;
}

describe('a committee that ends its instance', () => {
  it('does so with the engine as it is, loaded like a mutant', async () => {
    assert.equal(await firstFailure(NO_MUTANT, FIRST_NUMBER), undefined);
  });

  for (const [index, mutant] of CLOSING_MUTANTS.entries()) {
    it(`fails with an engine that would ${mutant.what}`, async (test) => {
      const failure = await firstFailure(mutant, FIRST_NUMBER + 1 + index);
      assert.ok(failure !== undefined, 'no schedule noticed');
      test.diagnostic(failure);
    });
  }
});
