import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { nobleBls } from '../../../src/core/crypto/bls-noble.ts';
import { blstBls, blstLoads } from '../../../src/runtime/native/bls-blst.ts';
import { installHashtree } from '../../../src/runtime/native/ssz-hashtree.ts';
import { ROUNDS_TO_RECOVER_MAX, runSchedule } from './driver.ts';
import { committeeOf, realCrypto, standInCrypto } from './driver-crypto.ts';
import { noHits } from './driver-invariants.ts';
import { HEALTHY } from './driver-world.ts';
import { runSeed } from './schedules.ts';
import { instanceOf } from './values.ts';

// Few schedules, for the few seconds of a unit test; test/simulation/consensus-schedules.test.ts runs thousands.
const SCHEDULES_OF_FOUR = 80;
const SCHEDULES_OF_SEVEN = 20;

before(() => installHashtree());

describe('committees on a bad network', () => {
  const crypto = standInCrypto();

  for (const [size, schedules] of [
    [4, SCHEDULES_OF_FOUR],
    [7, SCHEDULES_OF_SEVEN],
  ] as const) {
    it(`agree and recover, ${schedules} schedules of ${size} validators`, () => {
      const hits = noHits();
      for (let seed = 0; seed < schedules; seed++) {
        const { roundsToRecover } = runSeed(seed, size, crypto, hits);
        assert.ok(roundsToRecover <= ROUNDS_TO_RECOVER_MAX);
      }
      assert.ok(hits.timeoutCertificatesFormed > 0 && hits.lateQuorumCertificatesAdopted > 0 && hits.restartsFromRecord > 0);
    });
  }

  it('give the same outcome for the same seed', () => {
    const [first, second] = [noHits(), noHits()];
    assert.deepEqual(runSeed(12, 4, crypto, first), runSeed(12, 4, crypto, second));
    assert.deepEqual(first, second);
  });
});

describe('a committee on a good network', () => {
  it('commits one block a round, and never needs a timeout', () => {
    const hits = noHits();
    const crypto = standInCrypto();
    const instance = instanceOf(committeeOf(crypto, new Map([0, 1, 2, 3].map((index) => [index, 1]))), 1, 0);
    const outcome = runSchedule({ seed: 1, instance, crypto, hits, faulty: 0, badMs: 0, quality: HEALTHY, heights: 50 });
    assert.equal(hits.timeoutCertificatesFormed, 0);
    assert.ok(outcome.roundsToRecover <= 50 + 3, `${outcome.roundsToRecover} rounds for 50 blocks`);
  });

  it('runs with real BLS signatures and VRF proofs', () => {
    const hits = noHits();
    const crypto = realCrypto(blstLoads() ? blstBls : nobleBls);
    const instance = instanceOf(committeeOf(crypto, new Map([0, 1, 2, 3].map((index) => [index, 1]))), 1, 0);
    const quality = { lossPercent: 10, duplicatePercent: 5, delayMsMax: 300, partitionPercent: 0 };
    runSchedule({ seed: 3, instance, crypto, hits, faulty: 0, badMs: 2500, quality, parameters: { leaderWindow: 2 }, heights: 3 });
    assert.ok(hits.blocksCommitted >= 3);
  });
});

describe('two instances one after the other', () => {
  it('start from each other, with another committee of unequal seats, and hear nothing of each other', () => {
    const crypto = standInCrypto();
    for (let seed = 0; seed < 10; seed++) {
      const hits = noHits();
      const quality = { lossPercent: 10, duplicatePercent: 10, delayMsMax: 400, partitionPercent: 20 };
      const first = instanceOf(committeeOf(crypto, new Map([0, 1, 2, 3].map((index) => [index, 1]))), 1, 0);
      const base = { seed, crypto, hits, badMs: 3000, quality, heights: 3 };
      const { committedHeight } = runSchedule({ ...base, instance: first, faulty: 1 });
      const seats = new Map([
        [2, 3],
        [3, 2],
        [7, 1],
        [8, 4],
        [11, 2],
      ]);
      const second = instanceOf(committeeOf(crypto, seats), 2, committedHeight);
      const outcome = runSchedule({ ...base, instance: second, faulty: 1, intruders: first });
      assert.ok(outcome.committedHeight >= committedHeight + 3);
    }
  });
});
