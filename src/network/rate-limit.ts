// A token bucket as plain data: `perSecond` tokens flow in, at most `burst` are kept. Two ways to use it: `tryTake` refuses what
// does not fit (requests), `debit` takes anyway and says how long to pause until the debt is paid (streams, which cannot refuse
// bytes that have arrived but can stop reading). The clock is an argument.

/** How fast a bucket fills and how much it holds. */
export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

/** What is left in a bucket, and when that was true. */
export interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** A full bucket. */
export function fullBucket(limit: RateLimit, nowMs: number): Bucket {
  return { tokens: limit.burst, atMs: nowMs };
}

/** The bucket after taking `amount`, or `undefined` when there is less in it. */
export function tryTake(bucket: Bucket, limit: RateLimit, amount: number, nowMs: number): Bucket | undefined {
  const filled = fill(bucket, limit, nowMs);
  return filled.tokens < amount ? undefined : { tokens: filled.tokens - amount, atMs: filled.atMs };
}

/** The bucket after taking `amount`, into debt if need be. */
export function debit(bucket: Bucket, limit: RateLimit, amount: number, nowMs: number): Bucket {
  const filled = fill(bucket, limit, nowMs);
  return { tokens: filled.tokens - amount, atMs: filled.atMs };
}

/** How long until a bucket in debt is out of it; 0 for one that is not. */
export function debtMs(bucket: Bucket, limit: RateLimit): number {
  return bucket.tokens >= 0 ? 0 : Math.ceil((-bucket.tokens / limit.perSecond) * 1000);
}

function fill(bucket: Bucket, limit: RateLimit, nowMs: number): Bucket {
  if (nowMs <= bucket.atMs) return bucket; // A clock that stands still or goes back fills nothing.
  const tokens = Math.min(limit.burst, bucket.tokens + ((nowMs - bucket.atMs) * limit.perSecond) / 1000);
  return { tokens, atMs: nowMs };
}
