// Consensus alone under thousands of seeded schedules: agreement, durability and progress in each, and enough of them that each rule of
// interest was at work at least a hundred times. A failure names its seed: `runSeed` of test/core/consensus/schedules.ts replays it.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { installHashtree } from '../../src/runtime/native/ssz-hashtree.ts';
import { standInCrypto } from '../core/consensus/driver-crypto.ts';
import { noHits, type RoundHits } from '../core/consensus/driver-invariants.ts';
import { runSeed } from '../core/consensus/schedules.ts';

const HITS_MIN = 100;
const FIRST_SEED = 1_000;

const RULES: Readonly<Record<keyof RoundHits, string>> = {
  timeoutCertificatesFormed: 'TC formed',
  lateQuorumCertificatesAdopted: 'late QC adopted',
  joinedByHonestMinority: 'f+1 join',
  restartsFromRecord: 'restart from the record',
  restartsFromRecordAlone: 'restart from the record alone',
  leadersChangedByWindow: 'leader changed by the window',
  equivocationsAmongTwins: 'equivocation of a leader seen',
  blocksCommitted: 'block committed',
};

before(() => installHashtree());

describe('consensus under many schedules', () => {
  for (const [size, schedules] of [
    [4, 1_600],
    [7, 400],
  ] as const) {
    it(`agrees and recovers in ${schedules} schedules of ${size} validators`, (test) => {
      const crypto = standInCrypto();
      const hits = noHits();
      let roundsMax = 0;
      for (let seed = FIRST_SEED; seed < FIRST_SEED + schedules; seed++) {
        roundsMax = Math.max(roundsMax, runSeed(seed, size, crypto, hits).roundsToRecover);
      }
      test.diagnostic(`rounds to recover: ${roundsMax} at most`);
      for (const rule of Object.keys(RULES) as (keyof RoundHits)[]) {
        test.diagnostic(`${RULES[rule]}: ${hits[rule]}`);
        assert.ok(hits[rule] >= HITS_MIN, `${RULES[rule]}: only ${hits[rule]} times`);
      }
    });
  }
});
