import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { durableBeforeSpoken } from '../../../src/core/consensus/durable.ts';
import type { Effect } from '../../../src/core/consensus/effects.ts';
import { admittedRoundOf, emptyRecord, SigningRecord } from '../../../src/core/consensus/record.ts';
import { ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import { blockOn, certificateFor, FOUR, pointOfBlock, startedEngine, timeoutCertificateFor } from './values.ts';

const state = startedEngine();
const first = blockOn(state, 1);
const vote: Effect = { kind: 'sign-and-send-vote', point: pointOfBlock(first) };
const timer: Effect = { kind: 'set-timer', timer: 'round', round: 1, delayMs: 1 };
const store: Effect = { kind: 'store-block', ...first };
const discard: Effect = { kind: 'discard-blocks', hashes: [ZERO_32] };

describe('a step that signs', () => {
  it('has record and block on disk before any signature, and delays nothing that needs none', () => {
    const { effects } = durableBeforeSpoken({ state, effects: [discard, vote, store, timer] });
    assert.deepEqual(effects, [timer, store, { kind: 'persist', record: state.record }, vote, discard]);
  });

  it('writes the record once, and not again while nothing in it has changed', () => {
    const once = durableBeforeSpoken({ state, effects: [vote, vote] });
    assert.equal(once.effects.filter(({ kind }) => kind === 'persist').length, 1);
    assert.deepEqual(durableBeforeSpoken({ state: once.state, effects: [vote] }).effects, [vote]);
    const changed = { ...once.state, record: { ...state.record, lastTimeoutRound: 4 } };
    assert.equal(durableBeforeSpoken({ state: changed, effects: [vote] }).effects[0]?.kind, 'persist');
  });

  it('writes nothing when nothing is signed', () => {
    assert.deepEqual(durableBeforeSpoken({ state, effects: [timer] }).effects, [timer]);
  });
});

describe('the signing record', () => {
  it('admits to the round after its highest certificate', () => {
    const record = emptyRecord(FOUR.instanceId);
    assert.equal(admittedRoundOf(record), 1);
    const certificate = certificateFor({ ...pointOfBlock(first), round: 6 });
    assert.equal(admittedRoundOf({ ...record, highestQuorumCertificate: [certificate] }), 7);
    assert.equal(
      admittedRoundOf({ ...record, highestQuorumCertificate: [certificate], timeoutCertificate: [timeoutCertificateFor(8)] }),
      9,
    );
  });

  it('survives its encoding', () => {
    const certificate = certificateFor({ ...pointOfBlock(first), round: 6 });
    const record: SigningRecord = {
      instanceId: FOUR.instanceId,
      lastVotedRound: 7,
      lastVotedHash: first.hash,
      lastCommitVotedRound: 6,
      lastCommitVotedHash: first.hash,
      lastProposedRound: 3,
      lastProposedHash: first.hash,
      lastTimeoutRound: 8,
      highestQuorumCertificate: [certificate],
      timeoutCertificate: [timeoutCertificateFor(8, certificate)],
    };
    assert.ok(SigningRecord.equals(SigningRecord.deserialize(SigningRecord.serialize(record)), record));
  });
});
