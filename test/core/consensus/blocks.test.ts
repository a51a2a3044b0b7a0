import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Effect } from '../../../src/core/consensus/effects.ts';
import { leaderOf } from '../../../src/core/consensus/leader.ts';
import { startPoint } from '../../../src/core/consensus/state.ts';
import {
  after,
  blockOn,
  certificateFor,
  certified,
  effectsOf,
  FOUR,
  pointOfBlock,
  proposedAndValid,
  startedEngine,
  timeoutCertificateFor,
  validated,
} from './values.ts';

const forgotten = ({ hash }: { readonly hash: Uint8Array }): readonly Effect[] => [{ kind: 'discard-blocks', hashes: [hash] }];

describe('a proposal', () => {
  const state = startedEngine();
  const first = blockOn(state, 1);

  it('is validated if the drawn leader made it', () => {
    const [request] = effectsOf(after(state, { kind: 'proposal-received', ...first }), 'validate-block');
    assert.equal(request?.proposer, leaderOf(FOUR, startPoint(FOUR), 1));
    assert.equal(request?.isCertified, false);
  });

  it('of anyone else is reported and never validated', () => {
    const usurped = blockOn(state, 1, undefined, undefined, { proposer: first.header.proposer === 0 ? 2 : 0 });
    const transition = after(state, { kind: 'proposal-received', ...usurped });
    assert.equal(effectsOf(transition, 'report')[0]?.report, 'not-the-leader');
    assert.equal(effectsOf(transition, 'validate-block').length, 0);
  });

  it('is taken once', () => {
    const once = after(state, { kind: 'proposal-received', ...first }).state;
    assert.deepEqual(after(once, { kind: 'proposal-received', ...first }), { state: once, effects: [] });
  });

  it('beside another of its leader is reported, and a third one dropped', () => {
    const second = blockOn(state, 1, undefined, undefined, { timestampMs: 77 });
    const third = blockOn(state, 1, undefined, undefined, { timestampMs: 78 });
    const twice = after(state, { kind: 'proposal-received', ...first }, { kind: 'proposal-received', ...second });
    assert.equal(effectsOf(twice, 'report')[0]?.report, 'conflicting-proposals');
    assert.deepEqual(after(twice.state, { kind: 'proposal-received', ...third }), { state: twice.state, effects: forgotten(third) });
    const wanted = after(twice.state, certified(third), { kind: 'proposal-received', ...third });
    assert.equal(effectsOf(wanted, 'validate-block').length, 1, 'unless a certificate names it');
  });

  it('brings along QC and TC, by which the node advances', () => {
    const justify = certificateFor(pointOfBlock(first));
    const third = blockOn(after(state, ...proposedAndValid(first)).state, 3, justify, timeoutCertificateFor(2, justify));
    const transition = after(state, { kind: 'proposal-received', ...third });
    assert.equal(transition.state.round, 3);
    assert.equal(effectsOf(transition, 'request-block').at(-1)?.height, 1);
  });

  it('waits for its parent, and is validated when that is valid', () => {
    const justify = certificateFor(pointOfBlock(first));
    const second = blockOn(after(state, ...proposedAndValid(first)).state, 2, justify);
    const early = after(state, { kind: 'proposal-received', ...second });
    assert.equal(effectsOf(early, 'validate-block').length, 0);
    const fetched = after(early.state, { kind: 'block-fetched', ...first });
    assert.equal(effectsOf(fetched, 'validate-block')[0]?.isCertified, true);
    assert.deepEqual(
      effectsOf(after(fetched.state, validated(first)), 'validate-block').map(({ hash }) => hash),
      [second.hash],
    );
  });

  it('of a round already left is dropped unless a certificate names it', () => {
    const left = after(state, { kind: 'timeout-certificate-received', certificate: timeoutCertificateFor(1) }).state;
    assert.deepEqual(after(left, { kind: 'proposal-received', ...first }), { state: left, effects: forgotten(first) });
    const wanted = after(left, certified(first), { kind: 'proposal-received', ...first });
    assert.equal(effectsOf(wanted, 'validate-block').length, 1);
  });
});

describe('a certified block', () => {
  it('found invalid is reported', () => {
    const state = startedEngine();
    const first = blockOn(state, 1);
    const transition = after(state, { kind: 'proposal-received', ...first }, certified(first), {
      kind: 'block-validated',
      isHeldBack: false,
      hash: first.hash,
      vrfOutput: undefined,
      role: 'ordinary',
    });
    assert.equal(effectsOf(transition, 'report')[0]?.report, 'certified-block-invalid');
  });

  it('that the shell has lost before it was validated is forgotten, and asked for again', () => {
    const state = startedEngine();
    const first = blockOn(state, 1);
    const fetched = after(state, certified(first), { kind: 'block-fetched', ...first });
    assert.equal(effectsOf(fetched, 'validate-block').length, 1);
    const lost = after(fetched.state, { kind: 'block-not-held', hash: first.hash });
    assert.equal(lost.state.blocks.size, 0);
    assert.deepEqual(effectsOf(lost, 'request-block'), [{ kind: 'request-block', hash: first.hash, height: 1 }]);
    const again = after(lost.state, { kind: 'block-fetched', ...first });
    assert.equal(effectsOf(again, 'validate-block').length, 1);
  });

  it('that is valid already is not forgotten, nor asked for', () => {
    const state = startedEngine();
    const first = blockOn(state, 1);
    const valid = after(state, ...proposedAndValid(first)).state;
    assert.deepEqual(after(valid, { kind: 'block-not-held', hash: first.hash }), { state: valid, effects: [] });
  });

  it('that is fetched while its validation waits for a voting rule is validated without it', () => {
    const state = startedEngine();
    const first = blockOn(state, 1);
    const transition = after(state, { kind: 'proposal-received', ...first }, { kind: 'block-fetched', ...first });
    assert.equal(effectsOf(transition, 'validate-block')[0]?.isCertified, true);
  });
});

describe('the tree of blocks', () => {
  it('never grows by blocks of old heights or unknown verdicts', () => {
    const state = startedEngine();
    const first = blockOn(state, 1);
    const commit = {
      kind: 'commit-certificate-received',
      certificate: certificateFor(pointOfBlock(first)),
      quorumCertificate: undefined,
    } as const;
    const committed = after(state, ...proposedAndValid(first), certified(first), commit).state;
    assert.equal(after(committed, { kind: 'block-fetched', ...first }).state.blocks.size, 0);
    assert.deepEqual(after(committed, validated(first)), { state: committed, effects: [] });
  });
});
