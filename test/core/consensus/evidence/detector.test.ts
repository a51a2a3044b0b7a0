import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { certificateOf, signerBitsOf } from '../../../../src/core/consensus/certificates.ts';
import { EvidenceDetector, LIVE_WINDOW, type VoteWord } from '../../../../src/core/consensus/evidence/detector.ts';
import type { VoteKind } from '../../../../src/core/consensus/signature-sets.ts';
import { type BlockPoint, SCHEME_BLS } from '../../../../src/core/protocol/certificate.ts';
import { blockOn, FOUR, pointOfBlock, startedEngine } from '../values.ts';

const { committee } = FOUR;
const pointOf = (round: number, fill: number): BlockPoint => ({ height: 1, round, blockHash: new Uint8Array(32).fill(fill) });
const word = (by: readonly number[], point: BlockPoint, isVerified = false, kind: VoteKind = 'vote', signature = 1): VoteWord => ({
  kind,
  votes: certificateOf(committee, point, by, new Uint8Array(96).fill(signature)),
  isVerified,
});
const timeouts = (round: number, by: readonly number[], reported: readonly number[]) => ({
  round,
  scheme: SCHEME_BLS,
  signers: signerBitsOf(committee, by),
  highestQuorumCertificateRounds: [...reported],
  signature: new Uint8Array(96),
});

describe('the detector of evidence', () => {
  let detector: EvidenceDetector;
  beforeEach(() => {
    detector = new EvidenceDetector(FOUR, LIVE_WINDOW);
    detector.advance(10);
  });

  it('suspects nothing while everybody says one thing, and keeps of a round that went well its certificates alone', () => {
    for (const kind of ['vote', 'commit-vote'] as const) {
      for (const index of [0, 1, 2]) assert.deepEqual(detector.hearVotes(word([index], pointOf(10, 1), false, kind)), []);
      assert.deepEqual(detector.hearVotes(word([0, 1, 2], pointOf(10, 1), true, kind)), []);
      for (const index of [0, 1, 2]) assert.deepEqual(detector.hearVotes(word([index], pointOf(10, 1), false, kind)), []);
    }
    assert.equal(detector.size, 2);
    detector.hearVotes(word([3], pointOf(10, 1)));
    assert.equal(detector.size, 3, 'who is in no certificate may still contradict himself');
  });

  it('suspects two votes of a round, and names what nobody has verified', () => {
    const first = word([1], pointOf(10, 1));
    const second = word([1], pointOf(10, 2));
    detector.hearVotes(first);
    const [suspicion] = detector.hearVotes(second);
    assert.equal(suspicion?.evidence?.kind, 'conflicting-votes');
    assert.deepEqual(suspicion.doubts, [first, second]);
  });

  it('never lets a forgery displace what is verified, nor stay once it is known to be one', () => {
    const forged = word([1], pointOf(10, 9));
    const good = word([1], pointOf(10, 1));
    detector.hearVotes(forged);
    detector.hearVotes(good);
    detector.settle(forged, false);
    detector.settle(good, true);
    const [suspicion] = detector.hearVotes(word([1], pointOf(10, 2)));
    assert.equal(suspicion?.doubts.length, 1, 'the good one is not in doubt any more');
    detector.settle(word([1], pointOf(10, 2)), false);
    assert.equal(detector.hearVotes(word([1], pointOf(10, 3))).length, 1, 'and is still there');
  });

  it('has two signatures for one vote looked into: the forged one must not keep the place', () => {
    detector.hearVotes(word([1], pointOf(10, 1), false, 'vote', 7));
    const [suspicion] = detector.hearVotes(word([1], pointOf(10, 1), false, 'vote', 8));
    assert.equal(suspicion?.evidence, undefined);
    assert.equal(suspicion?.doubts.length, 2);
  });

  it('suspects a vote beside a certificate, whichever comes first, and two certificates', () => {
    detector.hearVotes(word([0, 1, 2], pointOf(10, 1), true));
    assert.equal(detector.hearVotes(word([2], pointOf(10, 2))).length, 1);
    assert.equal(detector.hearVotes(word([3], pointOf(10, 2))).length, 0, 'it is in the other certificate only');
    assert.equal(detector.hearVotes(word([1, 2, 3], pointOf(10, 3), false)).length, 2, 'the certificate, and the vote of member 3');
  });

  it('suspects no vote beside a commit vote for another block', () => {
    detector.hearVotes(word([1], pointOf(10, 1), true));
    assert.deepEqual(detector.hearVotes(word([1], pointOf(10, 2), true, 'commit-vote')), []);
  });

  it('suspects a commit vote beside a timeout that reports too low, whichever comes first', () => {
    detector.hearVotes(word([1], pointOf(8, 1), true, 'commit-vote'));
    assert.deepEqual(detector.hearTimeouts(timeouts(9, [1], [8])), []);
    assert.deepEqual(detector.hearTimeouts(timeouts(7, [1], [3])), []);
    assert.equal(detector.hearTimeouts(timeouts(9, [0, 1], [5, 7]))[0]?.evidence?.kind, 'broken-timeout');
    assert.equal(detector.hearVotes(word([0, 2], pointOf(9, 1), true, 'commit-vote'))[0]?.evidence?.kind, 'broken-timeout');
    assert.deepEqual(detector.hearVotes(word([2], pointOf(9, 1), true, 'commit-vote')), []);
  });

  it('suspects two proposals of a round, and keeps only one that is verified', () => {
    const state = startedEngine();
    const [first, second] = [1, 2].map((timestampMs) => blockOn(state, 10, undefined, undefined, { timestampMs }));
    assert.ok(first !== undefined && second !== undefined);
    const signature = new Uint8Array(96);
    assert.deepEqual(detector.hearProposal({ ...first, signature, isVerified: false }), []);
    assert.equal(detector.knowsProposal(first.header), false);
    assert.deepEqual(detector.hearProposal({ ...first, signature, isVerified: true }), []);
    assert.equal(detector.knowsProposal(second.header), true);
    assert.deepEqual(detector.hearProposal({ ...first, signature, isVerified: true }), []);
    assert.equal(detector.hearProposal({ ...second, signature, isVerified: false })[0]?.evidence?.kind, 'conflicting-proposals');
  });

  it('suspects a vote for a header that was refused, whichever comes first', () => {
    const refused = blockOn(startedEngine(), 10);
    detector.hearVotes(word([1], pointOfBlock(refused)));
    assert.equal(detector.hearRefusedHeader(refused.hash, refused.header)[0]?.evidence?.kind, 'vote-against-rules');
    assert.equal(detector.hearVotes(word([2], pointOfBlock(refused)))[0]?.evidence?.kind, 'vote-against-rules');
    assert.deepEqual(detector.hearVotes(word([2], pointOfBlock(refused), false, 'commit-vote')), []);
  });

  it('takes nothing of another committee, or of a round that is far away', () => {
    const stranger = {
      ...word([1], pointOf(10, 1)),
      votes: { ...word([1], pointOf(10, 1)).votes, signers: signerBitsOf({ members: [], totalSeats: 0 }, []) },
    };
    assert.deepEqual(detector.hearVotes(stranger), []);
    detector.advance(100);
    for (const round of [1, 35, 105, 1_000_000]) detector.hearVotes(word([1], pointOf(round, 1)));
    detector.hearTimeouts(timeouts(165, [1], [1]));
    assert.equal(detector.size, 0);
  });

  it('is bounded, whatever is said', () => {
    const { header } = blockOn(startedEngine(), 1);
    for (let round = 1; round <= 300; round++) {
      detector.advance(round);
      for (let fill = 0; fill < 8; fill++) {
        detector.hearVotes(word([fill % 4], pointOf(round, fill), fill % 2 === 0));
        detector.hearVotes(word([fill % 4, (fill + 1) % 4], pointOf(round, fill), true, 'commit-vote'));
        detector.hearTimeouts(timeouts(round, [fill % 4], [fill]));
        detector.hearRefusedHeader(new Uint8Array(32).fill(fill).with(0, round % 256), header);
      }
    }
    assert.ok(detector.size <= 70 * (4 + 4 + 4 + 4 + 4) + 16, `${detector.size}`);
  });
});
