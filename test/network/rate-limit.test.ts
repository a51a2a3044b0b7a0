import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { debit, debtMs, fullBucket, tryTake } from '../../src/network/rate-limit.ts';

const LIMIT = { perSecond: 100, burst: 50 };

describe('a token bucket', () => {
  it('never lets through more than its burst and its rate, whatever the pattern', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(500), fc.integer({ min: 1, max: 20 })), { maxLength: 200 }), (tries) => {
        let bucket = fullBucket(LIMIT, 0);
        let nowMs = 0;
        let passed = 0;
        for (const [waitMs, amount] of tries) {
          nowMs += waitMs;
          const taken = tryTake(bucket, LIMIT, amount, nowMs);
          if (taken === undefined) continue;
          bucket = taken;
          passed += amount;
        }
        assert.ok(passed <= LIMIT.burst + (nowMs * LIMIT.perSecond) / 1000 + 1e-6);
      }),
    );
  });

  it('refuses what does not fit and keeps what is left', () => {
    const bucket = tryTake(fullBucket(LIMIT, 0), LIMIT, 45, 0);
    assert.ok(bucket);
    assert.equal(tryTake(bucket, LIMIT, 6, 0), undefined);
    assert.ok(tryTake(bucket, LIMIT, 5, 0));
    assert.ok(tryTake(bucket, LIMIT, 6, 10));
  });

  it('in debt says how long to pause, and is out of it then', () => {
    const bucket = debit(fullBucket(LIMIT, 0), LIMIT, 150, 0);
    assert.equal(debtMs(bucket, LIMIT), 1_000);
    assert.equal(debtMs(debit(bucket, LIMIT, 0, 1_000), LIMIT), 0);
    assert.equal(debtMs(fullBucket(LIMIT, 0), LIMIT), 0);
  });

  it('fills by nothing when the clock goes back', () => {
    const bucket = debit(fullBucket(LIMIT, 1_000), LIMIT, 50, 1_000);
    assert.equal(tryTake(bucket, LIMIT, 1, 0), undefined);
  });
});
