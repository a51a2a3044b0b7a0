import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HALF_LIFE_MS, PeerScores, REFUSE_AT_POINTS, REFUSED_MS, SCORED_PEERS_MAX } from '../../src/network/peer-score.ts';

describe('the count of misbehaviour', () => {
  it('leaves a peer alone that commits no offence, whatever others do', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('x', 'y', 'z'), fc.integer({ min: 0, max: 200 }), fc.nat(100_000))), (offences) => {
        const scores = new PeerScores();
        for (const [peer, weight, atMs] of offences) {
          scores.count(peer, weight, atMs);
          assert.equal(scores.isRefused('honest', atMs), false);
          assert.equal(scores.points('honest', atMs), 0);
        }
      }),
    );
  });

  it('refuses at the threshold, says so once, and forgives in the end', () => {
    const scores = new PeerScores();
    assert.equal(scores.count('x', REFUSE_AT_POINTS - 1, 0), false);
    assert.equal(scores.count('x', 1, 0), true);
    assert.equal(scores.count('x', REFUSE_AT_POINTS, 1), false);
    assert.equal(scores.refusedCount(1), 1);
    assert.equal(scores.isRefused('x', REFUSED_MS - 1), true);
    assert.equal(scores.isRefused('x', REFUSED_MS), false);
    assert.equal(scores.refusedCount(REFUSED_MS), 0);
  });

  it('decays, so that rare offences never add up', () => {
    const scores = new PeerScores();
    scores.count('x', 64, 0);
    assert.equal(scores.points('x', HALF_LIFE_MS), 32);
    for (let count = 1; count < 100; count++) assert.equal(scores.count('x', 40, count * 2 * HALF_LIFE_MS), false);
  });

  it('takes a clock that goes back for one that stands still', () => {
    const scores = new PeerScores();
    scores.count('x', 64, 1_000_000);
    assert.equal(scores.points('x', 0), 64);
  });

  it('remembers a bounded number of peers, the latest offenders', () => {
    const scores = new PeerScores();
    for (let peer = 0; peer <= SCORED_PEERS_MAX; peer++) scores.count(`peer ${peer}`, 10, 0);
    assert.equal(scores.points('peer 0', 0), 0);
    assert.equal(scores.points('peer 1', 0), 10);
    assert.equal(scores.points(`peer ${SCORED_PEERS_MAX}`, 0), 10);
  });
});
