import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { installHashtree } from '../../../src/runtime/native/ssz-hashtree.ts';
import { runClosingSeed } from './closing-schedules.ts';
import { ROUNDS_TO_RECOVER_MAX } from './driver.ts';
import { standInCrypto } from './driver-crypto.ts';
import { noHits } from './driver-invariants.ts';

const SCHEDULES_OF_FOUR = 60;
const SCHEDULES_OF_SEVEN = 16;

before(() => installHashtree());

describe('committees that end their instance on a bad network', () => {
  const crypto = standInCrypto();

  for (const [size, schedules] of [
    [4, SCHEDULES_OF_FOUR],
    [7, SCHEDULES_OF_SEVEN],
  ] as const) {
    it(`close with one block, all of them, ${schedules} schedules of ${size} validators`, () => {
      const hits = noHits();
      for (let seed = 0; seed < schedules; seed++) {
        const { roundsToRecover } = runClosingSeed(seed, size, crypto, hits);
        assert.ok(roundsToRecover <= ROUNDS_TO_RECOVER_MAX);
      }
      const { carriersMade, closedByOwnCertificate, closedByCarrier, closedByAnswer, closedByFetching, restartsAfterTheEnd } = hits;
      const counted = { carriersMade, closedByOwnCertificate, closedByCarrier, closedByAnswer, closedByFetching, restartsAfterTheEnd };
      for (const [rule, count] of Object.entries(counted)) assert.ok(count > 0, `${rule} was never at work`);
    });
  }
});
