import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { voteMessage } from '../../../src/core/consensus/signature-sets.ts';
import {
  addVote,
  advanceVotePool,
  type Equivocation,
  emptyVotePool,
  settleOne,
  settleTogether,
  VOTE_ROUNDS_AHEAD_MAX,
  VOTE_ROUNDS_BEHIND_MAX,
  type VoteOutcome,
  type VotePool,
  type VoteWork,
} from '../../../src/core/consensus/vote-pool.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import type { BlockPoint } from '../../../src/core/protocol/certificate.ts';
import type { Vote } from '../../../src/core/protocol/vote.ts';
import { committeeOf, standInCrypto } from './driver-crypto.ts';
import { instanceOf } from './values.ts';

const crypto = standInCrypto();
const VALIDATORS = [0, 1, 2, 3, 4, 5, 6];
const instance = instanceOf(committeeOf(crypto, new Map(VALIDATORS.map((validator) => [validator, 1]))), 1, 0);
const BOUNDS = { round: 10, certifiedRound: 9, committedRound: 8, isClosed: false };
const pointAt = (round: number, block = 0): BlockPoint => ({ height: 5, round, blockHash: sha256(Uint8Array.of(block)) });

function voteOf(validator: number, point = pointAt(10)): Vote {
  const signature = crypto.bls.sign(crypto.blsSecretKeyOf(validator), voteMessage(instance, 'vote', point));
  return { instanceId: instance.instanceId, point, validator, signature };
}

const forged = (validator: number, point = pointAt(10), fill = 1): Vote => ({
  ...voteOf(validator, point),
  signature: new Uint8Array(96).fill(fill),
});

/** A pool whose work is done as a runner would, and everything that came of it. */
class Harness {
  pool: VotePool = emptyVotePool(instance, BOUNDS);
  readonly certified: number[][] = [];
  readonly forgedBy: string[] = [];
  readonly equivocations: Equivocation[] = [];
  verifications = 0;

  add(vote: Vote, from = `peer-${vote.validator}`, isVerified = false): VoteOutcome {
    const { pool, work, outcome } = addVote(this.pool, 'vote', vote, { from, isVerified });
    this.pool = pool;
    for (const task of work) this.#do(task);
    return outcome;
  }

  #do(work: VoteWork): void {
    this.verifications++;
    if (work.kind === 'verify-one') {
      const { vote } = work.vote;
      const isValid = crypto.bls.verify(this.#keyOf(work.vote.memberIndex), voteMessage(instance, 'vote', vote.point), vote.signature);
      const settled = settleOne(this.pool, work, isValid);
      this.pool = settled.pool;
      if (settled.forgedBy !== undefined) this.forgedBy.push(settled.forgedBy);
      if (settled.equivocation !== undefined) this.equivocations.push(settled.equivocation);
      for (const task of settled.work) this.#do(task);
      return;
    }
    const keys = work.votes.map(({ memberIndex }) => this.#keyOf(memberIndex));
    const signature = crypto.bls.aggregate(work.votes.map(({ vote }) => vote.signature)) as Uint8Array;
    const isValid = crypto.bls.fastAggregateVerify(keys, voteMessage(instance, 'vote', work.point), signature);
    const settled = settleTogether(this.pool, work, isValid);
    this.pool = settled.pool;
    if (isValid) this.certified.push(work.votes.map(({ memberIndex }) => memberIndex));
    for (const task of settled.work) this.#do(task);
  }

  #keyOf(memberIndex: number): Uint8Array {
    return instance.committee.members[memberIndex]?.blsPublicKey as Uint8Array;
  }
}

describe('a pool of honest votes', () => {
  it('verifies nothing before a quorum is there, and then all at once', () => {
    const harness = new Harness();
    for (const validator of [0, 1, 2, 3]) assert.equal(harness.add(voteOf(validator)), 'held');
    assert.equal(harness.verifications, 0);
    harness.add(voteOf(6));
    assert.equal(harness.verifications, 1);
    assert.deepEqual(harness.certified, [[0, 1, 2, 3, 6]]);
    assert.equal(harness.add(voteOf(5)), 'late');
    assert.equal(harness.verifications, 1);
  });

  it('does not start a second check while one is under way', () => {
    let pool = emptyVotePool(instance, BOUNDS);
    const works: VoteWork[] = [];
    for (const validator of VALIDATORS) {
      const added = addVote(pool, 'vote', voteOf(validator), { from: 'a', isVerified: false });
      pool = added.pool;
      works.push(...added.work);
    }
    assert.equal(works.length, 1);
  });

  it('keeps votes and commit votes, rounds and blocks apart', () => {
    const harness = new Harness();
    for (const validator of [0, 1, 2]) harness.add(voteOf(validator));
    for (const validator of [3, 4]) harness.add(voteOf(validator, pointAt(10, 1)));
    for (const validator of [0, 1, 2]) harness.add(voteOf(validator, pointAt(11)));
    for (const validator of [5, 6])
      harness.pool = addVote(harness.pool, 'commit-vote', voteOf(validator), { from: 'a', isVerified: true }).pool;
    assert.equal(harness.verifications, 0);
  });
});

describe('a pool with liars', () => {
  it('finds them one by one, blames who handed them over, and still certifies', () => {
    const harness = new Harness();
    harness.add(forged(1), 'liar');
    for (const validator of [0, 2, 3, 4]) harness.add(voteOf(validator));
    assert.deepEqual(harness.certified, []);
    assert.deepEqual(harness.forgedBy, ['liar']);
    harness.add(voteOf(5));
    assert.deepEqual(harness.certified, [[0, 2, 3, 4, 5]]);
  });

  it('takes the true vote after a forgery in its sender’s name, in either order', () => {
    for (const isForgeryFirst of [true, false]) {
      const harness = new Harness();
      const both: [Vote, string][] = [
        [forged(1), 'liar'],
        [voteOf(1), 'honest'],
      ];
      for (const [vote, from] of isForgeryFirst ? both : both.toReversed()) harness.add(vote, from);
      assert.deepEqual(harness.forgedBy, ['liar']);
      for (const validator of [0, 2, 3, 4]) harness.add(voteOf(validator));
      assert.deepEqual(harness.certified, [[0, 1, 2, 3, 4]]);
    }
  });

  it('reports a validator that votes twice, once, and counts its first vote', () => {
    const harness = new Harness();
    harness.add(voteOf(1, pointAt(10, 0)));
    harness.add(voteOf(1, pointAt(10, 1)));
    harness.add(voteOf(1, pointAt(10, 2)));
    assert.deepEqual(
      harness.equivocations.map(({ validator }) => validator),
      [1],
    );
    for (const validator of [0, 2, 3, 4]) harness.add(voteOf(validator));
    assert.deepEqual(harness.certified, [[0, 1, 2, 3, 4]]);
  });

  it('certifies the honest quorum whatever is mixed in, in any order, and blames nobody honest', () => {
    const entry = fc.record({
      validator: fc.integer({ min: 0, max: 6 }),
      block: fc.integer({ min: 0, max: 3 }),
      fill: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 30 }),
        fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
        fc.integer(),
        (lies, honest, mix) => {
          const harness = new Harness();
          const all: [Vote, string][] = lies.map(({ validator, block, fill }) => [forged(validator, pointAt(10, block), fill), 'liar']);
          honest.forEach((validator, index) => {
            all.splice(Math.abs(mix + index * 7) % (all.length + 1), 0, [voteOf(validator), 'honest']);
          });
          for (const [vote, from] of all) harness.add(vote, from);
          assert.equal(harness.certified.length, 1);
          assert.ok(!harness.forgedBy.includes('honest'));
        },
      ),
    );
  });
});

describe('the bounds of a pool', () => {
  it('tell late votes from those whose sender is behind, and from rounds too far', () => {
    const harness = new Harness();
    assert.equal(harness.add(voteOf(0, pointAt(9))), 'late');
    assert.equal(harness.add(voteOf(0, pointAt(10 - VOTE_ROUNDS_BEHIND_MAX - 1))), 'old-round');
    assert.equal(harness.add(voteOf(0, pointAt(10 + VOTE_ROUNDS_AHEAD_MAX))), 'held');
    assert.equal(harness.add(voteOf(0, pointAt(10 + VOTE_ROUNDS_AHEAD_MAX + 1))), 'far-round');
  });

  it('refuse strangers, other instances and repetitions', () => {
    const harness = new Harness();
    assert.equal(harness.add({ ...voteOf(0), validator: 77 }), 'not-a-member');
    assert.equal(harness.add({ ...voteOf(0), instanceId: new Uint8Array(32) }), 'wrong-instance');
    assert.equal(harness.add(voteOf(0)), 'held');
    assert.equal(harness.add(voteOf(0)), 'duplicate');
    assert.equal(harness.add(voteOf(3), 'self', true), 'held');
    assert.equal(harness.add(forged(3)), 'bad-signature');
  });

  it('hold one vote of each kind, round and member, and forget rounds that are over', () => {
    const harness = new Harness();
    for (let round = 0; round < 40; round++) {
      for (const validator of VALIDATORS) for (const block of [1, 2, 3]) harness.add(forged(validator, pointAt(round, block)));
    }
    assert.ok(harness.pool.tallies.size <= VOTE_ROUNDS_AHEAD_MAX + VOTE_ROUNDS_BEHIND_MAX + 1);
    assert.equal(advanceVotePool(harness.pool, { ...BOUNDS, round: 30, certifiedRound: 29, committedRound: 28 }).tallies.size, 0);
  });
});
