import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConsensusEvent } from '../../../src/core/consensus/events.ts';
import { roundToJoin } from '../../../src/core/consensus/timeout.ts';
import {
  after,
  blockOn,
  certificateFor,
  certified,
  effectsOf,
  PARAMETERS,
  pointOfBlock,
  startedEngine,
  timeoutBy,
  timeoutCertificateFor,
} from './values.ts';

const heard = (validator: number, round: number, highest?: ReturnType<typeof certificateFor>): ConsensusEvent => ({
  kind: 'timeout-received',
  timeout: timeoutBy(validator, round, highest),
  from: `v${validator}`,
});
const roundTimer = (round: number): ConsensusEvent => ({ kind: 'timer-fired', timer: 'round', round });
const resendTimer = (round: number): ConsensusEvent => ({ kind: 'timer-fired', timer: 'resend', round });

describe('when a round times out', () => {
  const state = startedEngine();

  it('has the promise not to vote on disk before the timeout is signed', () => {
    const transition = after(state, roundTimer(1));
    const kinds = transition.effects.map(({ kind }) => kind);
    assert.ok(kinds.indexOf('persist') >= 0 && kinds.indexOf('persist') < kinds.indexOf('sign-and-send-timeout'));
    assert.equal(effectsOf(transition, 'persist')[0]?.record.lastTimeoutRound, 1);
  });

  it('shows the highest QC in full', () => {
    const first = blockOn(state, 1);
    const [timeout] = effectsOf(after(state, certified(first), roundTimer(2)), 'sign-and-send-timeout');
    assert.equal(timeout?.round, 2);
    assert.deepEqual(timeout?.highestQuorumCertificate?.point, pointOfBlock(first));
  });

  it('ignores the timer of a round that it has left', () => {
    const left = after(state, certified(blockOn(state, 1))).state;
    assert.deepEqual(after(left, roundTimer(1)), { state: left, effects: [] });
    assert.deepEqual(after(left, resendTimer(1)), { state: left, effects: [] });
  });

  it('says timeout and newest certificates again while it is stuck, and writes the record no second time', () => {
    const gaveUp = after(state, certified(blockOn(state, 1)), roundTimer(2));
    assert.equal(effectsOf(gaveUp, 'set-timer')[0]?.delayMs, PARAMETERS.resendIntervalMs);
    const again = after(gaveUp.state, resendTimer(2));
    assert.deepEqual(effectsOf(again, 'sign-and-send-timeout'), effectsOf(gaveUp, 'sign-and-send-timeout'));
    assert.equal(effectsOf(again, 'persist').length, 0);
    assert.equal(effectsOf(again, 'send-certificates')[0]?.to, undefined);
    assert.equal(effectsOf(again, 'send-certificates')[0]?.certificates.highestQuorumCertificate?.point.round, 1);
    assert.equal(effectsOf(again, 'set-timer')[0]?.timer, 'resend');
    assert.equal(effectsOf(again, 'sign-and-send-commit-vote').length, 1, 'a commit vote may have been lost too');
  });

  it('does not say a commit vote again for another round than its own, although a dishonest quorum certifies the block for one', () => {
    const first = blockOn(state, 1);
    const gaveUp = after(state, certified(first), roundTimer(2)).state;
    const misdated = certificateFor({ ...pointOfBlock(first), round: 2 });
    const later = after(gaveUp, { kind: 'quorum-certificate-received', certificate: misdated }, roundTimer(3), resendTimer(3));
    assert.equal(later.state.record.highestQuorumCertificate[0]?.point.round, 2);
    assert.equal(effectsOf(later, 'sign-and-send-timeout').length, 1);
    assert.deepEqual(effectsOf(later, 'sign-and-send-commit-vote'), [], 'round 2 was given up with a QC of round 1');
  });

  it('does nothing but wait as an observer', () => {
    const transition = after(startedEngine(99), roundTimer(1));
    assert.deepEqual(
      transition.effects.map(({ kind }) => kind),
      ['set-timer'],
    );
  });
});

describe('joining others', () => {
  const state = startedEngine();

  it('happens when f + 1 seats gave up a round not below the own: then to the highest such round', () => {
    assert.equal(after(state, heard(2, 7)).state.record.lastTimeoutRound, 0, 'one may lie');
    const joined = after(state, heard(2, 7), heard(4, 3));
    assert.equal(joined.state.record.lastTimeoutRound, 3, 'one of two is honest, and is at 3 at least');
    assert.equal(effectsOf(joined, 'sign-and-send-timeout')[0]?.round, 3);
    assert.equal(joined.state.round, 1, 'only a certificate makes it enter a round');
    assert.equal(after(joined.state, heard(6, 5)).state.record.lastTimeoutRound, 5);
  });

  it('does not go back, and says nothing twice', () => {
    const joined = after(state, heard(2, 3), heard(4, 3)).state;
    assert.equal(effectsOf(after(joined, heard(6, 2)), 'sign-and-send-timeout').length, 0);
  });

  it('counts the newest timeout of each validator only', () => {
    const twice = after(state, heard(2, 3), heard(2, 4), heard(2, 3)).state;
    assert.equal(roundToJoin(twice), 0);
    assert.equal(twice.timeouts.get(2)?.round, 4);
  });
});

describe('the quorum of a round', () => {
  const state = startedEngine();

  it('is handed out for aggregation once, in the order of members', () => {
    const two = after(state, heard(6, 1), heard(0, 1));
    assert.equal(effectsOf(two, 'aggregate-timeouts').length, 0);
    const three = after(two.state, heard(2, 1));
    assert.deepEqual(
      effectsOf(three, 'aggregate-timeouts')[0]?.timeouts.map(({ validator }) => validator),
      [0, 2, 6],
    );
    assert.equal(effectsOf(after(three.state, heard(4, 1)), 'aggregate-timeouts').length, 0);
  });

  it('is not made of timeouts of different rounds', () => {
    const mixed = after(state, heard(0, 1), heard(2, 2), heard(4, 3));
    assert.equal(effectsOf(mixed, 'aggregate-timeouts').length, 0);
  });
});

describe('a timeout of another node', () => {
  const state = startedEngine();
  const first = blockOn(state, 1);

  it('brings along its QC, which is adopted', () => {
    const transition = after(state, heard(2, 4, certificateFor(pointOfBlock(first))));
    assert.equal(transition.state.round, 2);
    assert.equal(effectsOf(transition, 'sign-and-send-commit-vote').length, 1);
  });

  it('of an old round is answered with the newest certificates', () => {
    const ahead = after(state, { kind: 'timeout-certificate-received', certificate: timeoutCertificateFor(3) }).state;
    const answered = after(ahead, heard(4, 2));
    assert.equal(effectsOf(answered, 'send-certificates')[0]?.to, 'v4');
    assert.equal(effectsOf(answered, 'send-certificates')[0]?.certificates.timeoutCertificate?.round, 3);
    assert.equal(effectsOf(after(ahead, heard(0, 2)), 'send-certificates').length, 0, 'its own echo is not');
  });

  it('is forgotten when its round is over', () => {
    const held = after(state, heard(2, 1), heard(4, 9)).state;
    const left = after(held, certified(first)).state;
    assert.deepEqual([...left.timeouts.keys()], [4]);
  });
});
