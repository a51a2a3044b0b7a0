import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type ClaimsOf, ClaimsQueue, WAITING_WEIGHT_MAX } from '../../src/runtime/claims-queue.ts';

interface NamedJob {
  readonly weight: number;
  readonly name: string;
}

function queueOf(...jobs: readonly (readonly [of: ClaimsOf, weight: number, name: string])[]): ClaimsQueue<NamedJob> {
  const queue = new ClaimsQueue<NamedJob>();
  for (const [of, weight, name] of jobs) assert.ok(queue.add(of, { weight, name }));
  return queue;
}

function namesOf(jobs: readonly NamedJob[]): string {
  return jobs.map(({ name }) => name).join(' ');
}

describe('what waits to be verified', () => {
  it('is taken in the order of arrival when all of it fits', () => {
    const queue = queueOf([1, 1, 'a'], [2, 2, 'b'], [1, 1, 'c'], ['crosslinks', 3, 'd']);
    assert.equal(namesOf(queue.take(7)), 'a b c d');
    assert.ok(queue.isEmpty);
  });

  it('is taken in turns when it does not fit, so that a few are not behind the many of another', () => {
    const queue = queueOf([1, 2, 'a1'], [1, 2, 'a2'], [1, 2, 'a3'], [1, 2, 'a4'], [2, 2, 'b1'], [3, 2, 'c1']);
    assert.equal(namesOf(queue.take(8)), 'a1 a2 b1 c1');
    assert.equal(namesOf(queue.take(8)), 'a3 a4');
  });

  it('lets each be first in its turn, whatever the weight of what it has', () => {
    const queue = queueOf([1, 4, 'a1'], [1, 4, 'a2'], [2, 20, 'large'], [1, 4, 'a3'], [1, 4, 'a4']);
    assert.deepEqual([queue.take(8), queue.take(8), queue.take(8)].map(namesOf), ['a1 a2', 'large', 'a3 a4']);
  });

  it('is refused above the bound of its own, and a single job never', () => {
    const queue = queueOf([1, 2 * WAITING_WEIGHT_MAX, 'large']);
    assert.equal(queue.add(1, { weight: 1, name: 'one more' }), false);
    assert.equal(queue.weightOf(1), 2 * WAITING_WEIGHT_MAX);
    assert.ok(queue.add(2, { weight: WAITING_WEIGHT_MAX - 1, name: 'of another' }) && queue.add(2, { weight: 1, name: 'its last' }));
    assert.equal(queue.add(2, { weight: 1, name: 'too much' }), false);
  });

  it('is all taken once, each chain in order', () => {
    const jobs = fc.array(fc.tuple(fc.constantFrom<ClaimsOf>(0, 4, 5, 'addresses'), fc.integer({ min: 1, max: 90 })), { maxLength: 120 });
    fc.assert(
      fc.property(jobs, (drawn) => {
        const queue = queueOf(...drawn.map(([of, weight], place) => [of, weight, `${of} ${place}`] as const));
        const taken: NamedJob[] = [];
        while (!queue.isEmpty) {
          const batch = queue.take(64);
          assert.ok(batch.length === 1 || batch.reduce((sum, { weight }) => sum + weight, 0) <= 64);
          taken.push(...batch);
        }
        for (const chain of [0, 4, 5, 'addresses']) {
          const places = taken.filter(({ name }) => name.startsWith(`${chain} `)).map(({ name }) => Number(name.split(' ')[1]));
          assert.deepEqual(
            places,
            drawn.flatMap(([of], place) => (of === chain ? [place] : [])),
          );
        }
      }),
    );
  });
});
