import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import {
  after,
  blockOn,
  certificateFor,
  certified,
  effectsOf,
  pointOfBlock,
  proposedAndValid,
  startedEngine,
  timeoutCertificateFor,
  validated,
} from './values.ts';

describe('a vote', () => {
  const state = startedEngine();
  const first = blockOn(state, 1);

  it('is given to a valid block of the round, after the block and the record are on disk', () => {
    const transition = after(state, ...proposedAndValid(first));
    assert.deepEqual(
      transition.effects.map(({ kind }) => kind),
      ['store-block', 'persist', 'sign-and-send-vote'],
    );
    assert.deepEqual(effectsOf(transition, 'sign-and-send-vote')[0]?.point, pointOfBlock(first));
    const [persist] = effectsOf(transition, 'persist');
    assert.equal(persist?.record.lastVotedRound, 1);
    assert.equal(bytesToHex(persist?.record.lastVotedHash as Uint8Array), bytesToHex(first.hash));
  });

  it('waits for the verdict of the shell, and is not given to an invalid block', () => {
    const proposed = after(state, { kind: 'proposal-received', ...first });
    assert.equal(effectsOf(proposed, 'sign-and-send-vote').length, 0);
    assert.equal(effectsOf(proposed, 'validate-block').length, 1);
    assert.equal(
      after(proposed.state, { kind: 'block-validated', hash: first.hash, vrfOutput: undefined, role: 'ordinary', isHeldBack: false })
        .effects.length,
      0,
    );
  });

  it('is not given to a valid block that a rule of its chain holds back, which its certificate makes certain all the same', () => {
    const verdict = {
      kind: 'block-validated',
      hash: first.hash,
      vrfOutput: new Uint8Array(64),
      role: 'ordinary',
      isHeldBack: true,
    } as const;
    const heldBack = after(state, { kind: 'proposal-received', ...first }, verdict);
    assert.equal(effectsOf(heldBack, 'sign-and-send-vote').length, 0);
    assert.equal(heldBack.state.record.lastVotedRound, 0);
    assert.equal(effectsOf(after(heldBack.state, certified(first)), 'report').length, 0);
  });

  it('is given once in a round', () => {
    const rival = blockOn(state, 1, undefined, undefined, { timestampMs: 77 });
    const voted = after(state, ...proposedAndValid(first)).state;
    const transition = after(voted, ...proposedAndValid(rival));
    assert.equal(effectsOf(transition, 'sign-and-send-vote').length, 0);
  });

  it('is not given in a round that was given up', () => {
    const gaveUp = after(state, { kind: 'timer-fired', timer: 'round', round: 1 }).state;
    assert.equal(effectsOf(after(gaveUp, ...proposedAndValid(first)), 'sign-and-send-vote').length, 0);
  });

  it('is not given in a round already left', () => {
    const proposed = after(state, { kind: 'proposal-received', ...first }).state;
    const left = after(proposed, { kind: 'timeout-certificate-received', certificate: timeoutCertificateFor(1) }).state;
    assert.equal(effectsOf(after(left, validated(first)), 'sign-and-send-vote').length, 0);
  });

  it('is not given to a block that was fetched under a certificate, nor by an observer', () => {
    const fetched = after(state, { kind: 'block-fetched', ...first }, validated(first));
    assert.equal(effectsOf(fetched, 'sign-and-send-vote').length, 0);
    assert.equal(effectsOf(after(startedEngine(99), ...proposedAndValid(first)), 'sign-and-send-vote').length, 0);
  });

  it('goes on to the next block as soon as its justify is known', () => {
    const voted = after(state, ...proposedAndValid(first), certified(first)).state;
    const second = blockOn(voted, 2, certificateFor(pointOfBlock(first)));
    const transition = after(voted, ...proposedAndValid(second));
    assert.deepEqual(effectsOf(transition, 'sign-and-send-vote')[0]?.point, pointOfBlock(second));
  });

  it('is given on a timeout certificate if the justify is as high as any QC that it reports, and not if it is lower', () => {
    const voted = after(state, ...proposedAndValid(first), certified(first)).state;
    const justify = certificateFor(pointOfBlock(first));
    const high = timeoutCertificateFor(2, undefined, justify);
    const good = blockOn(voted, 3, justify, high);
    assert.equal(effectsOf(after(voted, ...proposedAndValid(good)), 'sign-and-send-vote').length, 1);
    const low = blockOn(voted, 3, undefined, high);
    assert.equal(effectsOf(after(voted, ...proposedAndValid(low)), 'sign-and-send-vote').length, 0);
  });

  it('is remembered over a restart', () => {
    const voted = after(state, ...proposedAndValid(first)).state;
    const resumed = startedEngine(0, { record: voted.record });
    const rival = blockOn(state, 1, undefined, undefined, { timestampMs: 77 });
    assert.equal(effectsOf(after(resumed, ...proposedAndValid(rival)), 'sign-and-send-vote').length, 0);
  });
});
