import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConsensusEvent } from '../../../src/core/consensus/events.ts';
import { leaderOf, vrfAlphaOf } from '../../../src/core/consensus/leader.ts';
import { startPoint } from '../../../src/core/consensus/state.ts';
import { bytesEqual } from '../../../src/core/primitives/bytes.ts';
import { blockHashOf } from '../../../src/core/protocol/block.ts';
import {
  after,
  blockOn,
  certificateFor,
  certified,
  effectsOf,
  FOUR,
  payloadFor,
  pointOfBlock,
  proposedAndValid,
  startedEngine,
  timeoutCertificateFor,
  unstartedEngine,
} from './values.ts';

const LEADER = leaderOf(FOUR, startPoint(FOUR), 1);
const OTHER = LEADER === 0 ? 2 : 0;

/** The first round from this one on that the validator leads on the start record. */
function roundLedBy(validator: number, from: number): number {
  let round = from;
  while (leaderOf(FOUR, startPoint(FOUR), round) !== validator) round++;
  return round;
}

const ready = (round: number, parentHash: Uint8Array = FOUR.startRecordRoot, seed = round): ConsensusEvent => ({
  kind: 'payload-ready',
  parentHash,
  round,
  role: 'ordinary',
  payload: payloadFor(seed),
});

describe('the leader of a round', () => {
  it('asks for a payload at once, with the VRF input of the parent’s seed and the round', () => {
    const [request] = effectsOf(after(unstartedEngine(LEADER), { kind: 'started' }), 'request-payload');
    assert.deepEqual(request, {
      kind: 'request-payload',
      parentHash: FOUR.startRecordRoot,
      height: 1,
      round: 1,
      isCarrier: false,
      vrfAlpha: vrfAlphaOf(FOUR, FOUR.startRecord.seed, 1),
    });
    assert.equal(effectsOf(after(unstartedEngine(OTHER), { kind: 'started' }), 'request-payload').length, 0);
  });

  it('proposes and votes for its block, both under one synced record', () => {
    const transition = after(startedEngine(LEADER), ready(1));
    assert.deepEqual(
      transition.effects.map(({ kind }) => kind),
      ['store-block', 'persist', 'sign-and-send-proposal', 'sign-and-send-vote'],
    );
    const [proposal] = effectsOf(transition, 'sign-and-send-proposal');
    assert.ok(proposal !== undefined && bytesEqual(blockHashOf(proposal.header), proposal.hash));
    const { vrfOutput: _notInTheHeader, ...content } = payloadFor(1);
    assert.deepEqual(proposal.header, {
      ...content,
      instanceId: FOUR.instanceId,
      height: 1,
      round: 1,
      parentHash: FOUR.startRecordRoot,
      justify: [],
      timeoutCertificate: [],
      proposer: LEADER,
    });
    assert.equal(effectsOf(transition, 'persist')[0]?.record.lastProposedRound, 1);
  });

  it('proposes once in a round, also after a restart', () => {
    const proposed = after(startedEngine(LEADER), ready(1));
    assert.equal(after(proposed.state, ready(1, FOUR.startRecordRoot, 99)).effects.length, 0);
    const resumed = after(unstartedEngine(LEADER, { record: proposed.state.record }), { kind: 'started' });
    assert.equal(effectsOf(resumed, 'request-payload').length, 0);
    assert.equal(effectsOf(after(resumed.state, ready(1)), 'sign-and-send-proposal').length, 0);
  });

  it('does not propose in a round that it gave up, nor with a payload that comes too late', () => {
    const gaveUp = after(startedEngine(LEADER), { kind: 'timer-fired', timer: 'round', round: 1 }, ready(1));
    assert.equal(effectsOf(gaveUp, 'sign-and-send-proposal').length, 0);
    const left = after(startedEngine(LEADER), { kind: 'timeout-certificate-received', certificate: timeoutCertificateFor(1) }, ready(1));
    assert.equal(effectsOf(left, 'sign-and-send-proposal').length, 0);
  });

  it('carries the TC of the round before where there is no QC for it', () => {
    const round = roundLedBy(4, 2);
    const certificate = timeoutCertificateFor(round - 1);
    const entered = after(startedEngine(4), { kind: 'timeout-certificate-received', certificate });
    assert.equal(effectsOf(entered, 'request-payload')[0]?.round, round);
    const [proposal] = effectsOf(after(entered.state, ready(round)), 'sign-and-send-proposal');
    assert.deepEqual(proposal?.header.timeoutCertificate, [certificate]);
  });

  it('leaves the TC out, and asks anew, when a late QC of the round before comes', () => {
    for (let self = 0; self <= 6; self += 2) {
      const state = startedEngine(self);
      const first = blockOn(state, 1);
      const entered = after(state, ...proposedAndValid(first), {
        kind: 'timeout-certificate-received',
        certificate: timeoutCertificateFor(1),
      });
      const late = after(entered.state, certified(first));
      assert.equal(late.state.round, 2);
      const [request] = effectsOf(late, 'request-payload');
      if (request === undefined) continue;
      assert.ok(bytesEqual(request.parentHash, first.hash));
      const [proposal] = effectsOf(after(late.state, ready(2, first.hash)), 'sign-and-send-proposal');
      assert.deepEqual(proposal?.header.timeoutCertificate, []);
      assert.deepEqual(proposal?.header.justify, [certificateFor(pointOfBlock(first))]);
      return;
    }
    assert.fail('one of the four leads round 2');
  });

  it('waits for the block of the highest QC before it asks', () => {
    for (let self = 0; self <= 6; self += 2) {
      const state = startedEngine(self);
      const first = blockOn(state, 1);
      const unknown = after(state, certified(first));
      assert.equal(effectsOf(unknown, 'request-payload').length, 0);
      assert.equal(effectsOf(unknown, 'request-block').length, 1);
      const known = after(
        unknown.state,
        { kind: 'block-fetched', ...first },
        { kind: 'block-validated', hash: first.hash, vrfOutput: new Uint8Array(64), role: 'ordinary', isHeldBack: false },
      );
      if (effectsOf(known, 'request-payload').length === 1) return;
    }
    assert.fail('one of the four leads round 2');
  });
});
