import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mayCommitVote } from '../../../src/core/consensus/commit-vote.ts';
import { bytesEqual } from '../../../src/core/primitives/bytes.ts';
import {
  after,
  blockOn,
  certificateFor,
  certified,
  effectsOf,
  pointOfBlock,
  proposedAndValid,
  startedEngine,
  timeoutBy,
} from './values.ts';

describe('a commit vote', () => {
  const state = startedEngine();
  const first = blockOn(state, 1);

  it('is sent on the QC of a block, with the QC recorded on disk as the highest', () => {
    const transition = after(state, ...proposedAndValid(first), certified(first));
    assert.deepEqual(effectsOf(transition, 'sign-and-send-commit-vote')[0]?.point, pointOfBlock(first));
    const [persist] = effectsOf(transition, 'persist');
    assert.equal(persist?.record.highestQuorumCertificate[0]?.point.round, 1);
    assert.equal(persist?.record.lastCommitVotedRound, 1);
    assert.ok(
      transition.effects.findIndex(({ kind }) => kind === 'persist') <
        transition.effects.findIndex(({ kind }) => kind === 'sign-and-send-commit-vote'),
    );
  });

  it('needs no block: the quorum behind the QC has it', () => {
    assert.equal(effectsOf(after(state, certified(first)), 'sign-and-send-commit-vote').length, 1);
  });

  it('is not sent by a node that gave up the round or a later one, which adopts the QC all the same', () => {
    const gaveUp = after(state, { kind: 'timer-fired', timer: 'round', round: 1 });
    const late = after(gaveUp.state, certified(first));
    assert.equal(effectsOf(late, 'sign-and-send-commit-vote').length, 0);
    assert.equal(late.state.round, 2);
    const joined = after(
      state,
      { kind: 'timeout-received', timeout: timeoutBy(2, 5), from: 'b' },
      { kind: 'timeout-received', timeout: timeoutBy(4, 5), from: 'c' },
    );
    assert.equal(joined.state.record.lastTimeoutRound, 5);
    assert.equal(effectsOf(after(joined.state, certified(first)), 'sign-and-send-commit-vote').length, 0);
  });

  it('is sent once in a round, whatever other QC of it may appear', () => {
    const once = after(state, certified(first)).state;
    const rival = certificateFor({ ...pointOfBlock(first), blockHash: new Uint8Array(32).fill(9) });
    const twice = after(once, { kind: 'quorum-certificate-received', certificate: rival });
    assert.equal(twice.effects.length, 0);
    assert.ok(bytesEqual(twice.state.record.lastCommitVotedHash, first.hash));
  });

  it('is never of a round at or below the last one', () => {
    const record = { ...state.record, lastCommitVotedRound: 4 };
    const certificates = [3, 4, 5].map((round) => certificateFor({ ...pointOfBlock(first), round }));
    assert.deepEqual(
      certificates.map((certificate) => mayCommitVote({ record }, certificate)),
      [false, false, true],
    );
  });

  it('may follow a vote for another block of the same round', () => {
    const rival = blockOn(state, 1, undefined, undefined, { timestampMs: 77 });
    const transition = after(state, ...proposedAndValid(first), certified(rival));
    assert.deepEqual(effectsOf(transition, 'sign-and-send-commit-vote')[0]?.point, pointOfBlock(rival));
  });
});
