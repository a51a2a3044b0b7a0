import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { roundTimerMs } from '../../../src/core/consensus/pacemaker.ts';
import {
  after,
  blockOn,
  certificateFor,
  certified,
  effectsOf,
  PARAMETERS,
  pointOfBlock,
  startedEngine,
  timeoutCertificateFor,
  unstartedEngine,
} from './values.ts';

describe('the round timer', () => {
  const parameters = {
    ...PARAMETERS,
    roundTimeoutMs: 1_000,
    roundTimeoutMsMax: 20_000,
    roundTimeoutGrowthPercent: 150,
    idleIntervalMs: 700,
  };

  it('grows with consecutive failures up to the cap, the idle wait on top', () => {
    assert.deepEqual(
      [0, 1, 2, 3, 8, 16].map((failures) => roundTimerMs(parameters, failures)),
      [1_700, 2_200, 2_950, 4_075, 20_700, 20_700],
    );
  });

  it('never shrinks when failures rise', () => {
    for (let failures = 0; failures < 20; failures++)
      assert.ok(roundTimerMs(parameters, failures) <= roundTimerMs(parameters, failures + 1));
  });

  it('starts with the round, longer after each TC, shorter again after each QC, one step at a time', () => {
    const started = after(unstartedEngine(), { kind: 'started' });
    assert.deepEqual(effectsOf(started, 'set-timer'), [{ kind: 'set-timer', timer: 'round', round: 1, delayMs: 500 }]);
    const second = after(started.state, { kind: 'timeout-certificate-received', certificate: timeoutCertificateFor(1) });
    assert.equal(effectsOf(second, 'set-timer')[0]?.delayMs, 750);
    const third = after(second.state, { kind: 'timeout-certificate-received', certificate: timeoutCertificateFor(2) });
    assert.equal(effectsOf(third, 'set-timer')[0]?.delayMs, 1_125);
    const block = blockOn(third.state, 3, undefined, timeoutCertificateFor(2));
    const progress = after(third.state, certified(block));
    assert.equal(effectsOf(progress, 'set-timer')[0]?.delayMs, 750);
    const next = blockOn(progress.state, 4, certificateFor(pointOfBlock(block)));
    assert.equal(effectsOf(after(progress.state, certified(next)), 'set-timer')[0]?.delayMs, 500);
  });

  it('shrinks with the first QC, however long it was at its cap', () => {
    let state = startedEngine();
    for (let round = 1; round <= 30; round++) {
      state = after(state, { kind: 'timeout-certificate-received', certificate: timeoutCertificateFor(round) }).state;
    }
    const block = blockOn(state, 31, undefined, timeoutCertificateFor(30));
    const [timer] = effectsOf(after(state, certified(block)), 'set-timer');
    assert.ok(timer !== undefined && timer.delayMs < PARAMETERS.roundTimeoutMsMax);
  });

  it('is the resend timer in a round that the node gave up before it came there', () => {
    const { state } = after(startedEngine(), { kind: 'timer-fired', timer: 'round', round: 1 });
    const resumed = after(unstartedEngine(0, { record: state.record }), { kind: 'started' });
    assert.deepEqual(effectsOf(resumed, 'set-timer'), [
      { kind: 'set-timer', timer: 'resend', round: 1, delayMs: PARAMETERS.resendIntervalMs },
    ]);
  });
});

describe('an old message', () => {
  it('is answered with the newest certificates', () => {
    const state = after(startedEngine(), certified(blockOn(startedEngine(), 1))).state;
    const [answer] = effectsOf(after(state, { kind: 'old-message-seen', from: 'late' }), 'send-certificates');
    assert.equal(answer?.to, 'late');
    assert.equal(answer?.certificates.highestQuorumCertificate?.point.round, 1);
    assert.equal(answer?.certificates.timeoutCertificate, undefined);
  });
});
