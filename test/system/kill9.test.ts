// Real processes, real disks, `kill -9`, under load: nothing final is lost, and the network heals. The soak runs more rounds of the same.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runKillRounds } from './kill9-scenario.ts';

const ROUNDS = 3;
/** Half of a devnet's: whoever is dead is waited for in each round that he would lead. */
const SHORT_ROUNDS = { roundTimeoutMs: 500, resendIntervalMs: 250 };

describe('kill -9 under load', () => {
  it('of one: the others go on and it comes back to vote; of all: every final block is there with the same hashes', async (test) => {
    const report = await runKillRounds(ROUNDS, { overrides: SHORT_ROUNDS }, (line) => test.diagnostic(line));
    assert.equal(report.failed, undefined);
    assert.deepEqual([report.rounds, report.lost], [ROUNDS, 0]);
    assert.ok(report.blocksCompared > 0 && report.receiptsCompared > 0, JSON.stringify(report));
    assert.ok(report.transactionsCompared > 100, `only ${report.transactionsCompared} transactions were final`);
  });
});
