import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ChainProgress, healthOf, stallAfterMs } from '../../src/node/health.ts';

const parameters = { idleIntervalMs: 1_000, roundTimeoutMs: 1_000 };
const moving: ChainProgress = {
  chain: 1,
  committedHeight: 9,
  finalizedHeight: 8,
  round: 12,
  lastCommitMs: 100_000,
  catchingUpTo: undefined,
};

describe('health', () => {
  it('is given while each chain commits within its silence', () => {
    const health = healthOf([moving], 3, 100_000 + stallAfterMs(parameters), parameters);
    assert.ok(health.healthy);
    assert.equal(health.peers, 3);
    assert.deepEqual(health.chains[0], { ...moving, silentMs: 6_000, stalled: false });
  });

  it('is not given when one chain of several stands still', () => {
    const stalled = { ...moving, chain: 2, lastCommitMs: 0 };
    const health = healthOf([moving, stalled], 0, 100_001, parameters);
    assert.equal(health.healthy, false);
    assert.deepEqual(
      health.chains.map(({ stalled: each }) => each),
      [false, true],
    );
  });
});
