// Every target with a fixed number of inputs, its corpus first. COPPICE_FUZZ_SEED gives other inputs; npm run fuzz many more.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { readCorpus } from './corpus.ts';
import { fuzz } from './engine.ts';
import { TARGETS } from './registry.ts';
import { startWatch } from './watchdog.ts';

const seed = Number(process.env['COPPICE_FUZZ_SEED'] ?? 1);

describe(`of any bytes (seed ${seed})`, () => {
  const watch = startWatch();
  before(initialiseKeccak);
  after(() => watch.stop());

  for (const target of TARGETS) {
    it(`${target.name} makes what it must`, async () => {
      const corpus = readCorpus(target.name);
      const { outcomes, executions } = await fuzz(target, { seed, corpus, executions: target.executions, watch });
      assert.ok(executions >= target.executions + corpus.length);
      assert.ok(outcomes.size > 1, 'inputs fare differently');
    });
  }
});
