// Eight validators, four shards and committees of four, real processes: epochs turn under load, and in each one validator dies. The first follows all
// shards, the others their own. The soak runs longer epochs and more of them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runEpochs } from './epochs-scenario.ts';

const EPOCHS = 4;
const EPOCH_BLOCKS = 8;

describe('epochs under load, a validator killed in each', () => {
  it('turn, and every transaction that was sent is final', async (test) => {
    const cluster = {
      validators: 8,
      shards: 4,
      committeeSeats: 4,
      overrides: { epochBlocks: EPOCH_BLOCKS, takeoverGraceBlocks: 8 * EPOCH_BLOCKS },
    };
    const report = await runEpochs({ epochs: EPOCHS, cluster }, (line) => test.diagnostic(line));
    test.diagnostic(JSON.stringify(report));
    assert.equal(report.brokenPromise, undefined);
    assert.ok(report.epochs >= EPOCHS && report.killed >= EPOCHS, JSON.stringify(report));
    assert.ok(report.statesHeld > 0 && report.statesHeld < report.statesInAll, JSON.stringify(report));
    assert.equal(report.unaccounted, 0);
    assert.ok(report.accounts > report.creations, 'all accounts were counted');
    assert.equal(report.succeeded + report.reverted, report.sent);
    assert.ok(report.sent > 100 && report.creations >= 10 && 3 * report.calls > report.sent, JSON.stringify(report));
  });
});
