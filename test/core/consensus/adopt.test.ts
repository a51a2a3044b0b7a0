import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConsensusEvent } from '../../../src/core/consensus/events.ts';
import { highestRoundOf } from '../../../src/core/consensus/record.ts';
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
  timeoutCertificateFor,
  validated,
} from './values.ts';

type Block = ReturnType<typeof blockOn>;

/** A chain of three valid blocks, each on the QC of the one before, and the state that has them. */
function threeBlocks(self: number | undefined = 0) {
  let state = startedEngine(self);
  const blocks: Block[] = [];
  for (let round = 1; round <= 3; round++) {
    const parent = blocks.at(-1);
    const block = blockOn(state, round, parent && certificateFor(pointOfBlock(parent)));
    blocks.push(block);
    state = after(state, ...proposedAndValid(block), certified(block)).state;
  }
  return { state, blocks: blocks as [Block, Block, Block] };
}

const committing = (block: Block, withQuorumCertificate = true): ConsensusEvent => ({
  kind: 'commit-certificate-received',
  certificate: certificateFor(pointOfBlock(block)),
  quorumCertificate: withQuorumCertificate ? certificateFor(pointOfBlock(block)) : undefined,
});

describe('adopting a QC', () => {
  const state = startedEngine();
  const first = blockOn(state, 1);

  it('enters the round after it', () => {
    const transition = after(state, certified(first));
    assert.equal(transition.state.round, 2);
    assert.deepEqual(effectsOf(transition, 'round-entered'), [{ kind: 'round-entered', round: 2, by: 'quorum-certificate' }]);
  });

  it('happens however late it comes, also of a round given up, and then drops the TC of that round', () => {
    const entered = after(
      state,
      { kind: 'timer-fired', timer: 'round', round: 1 },
      { kind: 'timeout-certificate-received', certificate: timeoutCertificateFor(1) },
    );
    const late = after(entered.state, certified(first));
    assert.equal(late.state.round, 2);
    assert.equal(highestRoundOf(late.state.record), 1);
    assert.deepEqual(late.state.record.timeoutCertificate, []);
  });

  it('ignores one that is not higher', () => {
    const { state: later, blocks } = threeBlocks();
    assert.deepEqual(after(later, certified(blocks[1])), { state: later, effects: [] });
  });

  it('asks for its block if that is missing, and for the missing ancestor if one is', () => {
    const { blocks } = threeBlocks();
    const missing = after(state, certified(blocks[2]));
    assert.ok(bytesEqual(effectsOf(missing, 'request-block')[0]?.hash as Uint8Array, blocks[2].hash));
    const below = after(missing.state, { kind: 'block-fetched', ...blocks[2] });
    assert.ok(bytesEqual(effectsOf(below, 'request-block')[0]?.hash as Uint8Array, blocks[1].hash));
    assert.equal(effectsOf(below, 'request-block')[0]?.height, 2);
  });
});

describe('adopting a TC', () => {
  it('adopts its QC first, then leaves its round', () => {
    const state = startedEngine();
    const first = blockOn(state, 1);
    const certificate = timeoutCertificateFor(4, undefined, certificateFor(pointOfBlock(first)));
    const transition = after(state, { kind: 'timeout-certificate-received', certificate });
    assert.equal(transition.state.round, 5);
    assert.equal(highestRoundOf(transition.state.record), 1);
    assert.deepEqual(transition.state.record.timeoutCertificate, [certificate]);
    assert.equal(effectsOf(transition, 'sign-and-send-commit-vote').length, 1, 'it has not given up round 1');
  });

  it('ignores one of a round already left', () => {
    const { state } = threeBlocks();
    assert.deepEqual(after(state, { kind: 'timeout-certificate-received', certificate: timeoutCertificateFor(2) }), { state, effects: [] });
  });
});

describe('a CC', () => {
  it('commits its block and all ancestors, in the order of heights, each with its own QC', () => {
    const { state, blocks } = threeBlocks();
    const commits = effectsOf(after(state, committing(blocks[2])), 'commit');
    assert.deepEqual(
      commits.map(({ hash }) => hash),
      blocks.map(({ hash }) => hash),
    );
    assert.deepEqual(
      commits.map(({ quorumCertificate }) => quorumCertificate.point.round),
      [1, 2, 3],
    );
    assert.deepEqual(
      commits.map(({ commitCertificate }) => commitCertificate?.point.round),
      [undefined, undefined, 3],
    );
  });

  it('finds its QC itself when the own vote pool formed it', () => {
    const { state, blocks } = threeBlocks();
    assert.equal(effectsOf(after(state, committing(blocks[2], false)), 'commit').length, 3);
    assert.equal(effectsOf(after(state, committing(blocks[1], false)), 'commit').length, 2);
  });

  it('is of no use without its block’s QC, and waits for it', () => {
    const state = startedEngine();
    const first = blockOn(state, 1);
    const early = after(state, ...proposedAndValid(first), committing(first, false));
    assert.equal(effectsOf(early, 'commit').length, 0);
    assert.equal(effectsOf(after(early.state, certified(first)), 'commit').length, 1);
  });

  it('waits for blocks that are missing or being validated', () => {
    const { blocks } = threeBlocks();
    let transition = after(startedEngine(), committing(blocks[2]));
    assert.equal(effectsOf(transition, 'commit').length, 0);
    for (const block of blocks) transition = after(transition.state, { kind: 'block-fetched', ...block });
    transition = after(transition.state, validated(blocks[0]), validated(blocks[1]));
    assert.equal(effectsOf(transition, 'commit').length, 0);
    assert.equal(effectsOf(after(transition.state, validated(blocks[2])), 'commit').length, 3);
  });

  it('commits what is here although a newer one waits for blocks that are missing', () => {
    const { blocks } = threeBlocks();
    let transition = after(startedEngine(), committing(blocks[2]));
    for (const block of blocks.slice(0, 2)) transition = after(transition.state, { kind: 'block-fetched', ...block });
    transition = after(transition.state, validated(blocks[0]), validated(blocks[1]), committing(blocks[1]));
    assert.equal(effectsOf(transition, 'commit').length, 2);
    assert.ok(bytesEqual(effectsOf(transition, 'request-block').at(-1)?.hash as Uint8Array, blocks[2].hash));
    transition = after(transition.state, { kind: 'block-fetched', ...blocks[2] }, validated(blocks[2]));
    assert.equal(effectsOf(transition, 'commit').length, 1);
    assert.equal(transition.state.nearestCommit, undefined);
    assert.equal(transition.state.pendingCommit, undefined);
  });

  it('is not lost to a newer one while its blocks are being validated', () => {
    const { blocks } = threeBlocks();
    let transition = after(startedEngine(), { kind: 'block-fetched', ...blocks[0] }, committing(blocks[0]), committing(blocks[2]));
    assert.equal(effectsOf(transition, 'commit').length, 0);
    transition = after(transition.state, validated(blocks[0]));
    assert.equal(effectsOf(transition, 'commit').length, 1);
  });

  it('is taken once, and leaves nothing behind', () => {
    const { state, blocks } = threeBlocks();
    const once = after(state, committing(blocks[2]));
    assert.equal(once.state.blocks.size, 0);
    assert.equal(once.state.committed.height, 3);
    assert.equal(effectsOf(after(once.state, committing(blocks[2])), 'commit').length, 0);
  });

  it('discards the blocks that can no longer be committed', () => {
    const state = startedEngine();
    const first = blockOn(state, 1);
    const rival = blockOn(state, 1, undefined, undefined, { timestampMs: 77 });
    const both = after(state, ...proposedAndValid(first), ...proposedAndValid(rival), certified(first)).state;
    const transition = after(both, committing(first));
    assert.deepEqual(effectsOf(transition, 'discard-blocks')[0]?.hashes, [rival.hash]);
    assert.equal(transition.state.blocks.size, 0);
  });

  it('for a block beside the committed chain is reported and commits nothing', () => {
    const { state, blocks } = threeBlocks();
    const committed = after(state, committing(blocks[2])).state;
    const rival = { hash: new Uint8Array(32).fill(5), header: { ...blocks[2].header, round: 9 } };
    const transition = after(committed, committing(rival));
    assert.equal(effectsOf(transition, 'commit').length, 0);
    assert.equal(effectsOf(transition, 'report')[0]?.report, 'conflicting-commit');
  });
});

describe('a restarted engine', () => {
  it('resumes round, highest QC and committed block, and goes on', () => {
    const { state, blocks } = threeBlocks();
    const committed = after(state, committing(blocks[0])).state;
    const point = { point: committed.committed, proof: committed.commitProof };
    const stored = blocks
      .slice(1)
      .map((block) => ({ ...block, vrfOutput: new Uint8Array(64).fill(block.header.round), role: 'ordinary' as const }));
    const resumed = startedEngine(0, { record: state.record, committed: point, storedBlocks: stored });
    assert.equal(resumed.round, state.round);
    const transition = after(resumed, committing(blocks[2]));
    assert.deepEqual(
      effectsOf(transition, 'commit').map(({ hash }) => hash),
      [blocks[1].hash, blocks[2].hash],
    );
    assert.deepEqual(transition.state.committed, after(state, committing(blocks[2])).state.committed, 'seeds and anchors are the same');
  });

  it('keeps a stored block whose parent it never had, and validates it again when that one is there', () => {
    const { state, blocks } = threeBlocks();
    const stored = [{ ...blocks[1], vrfOutput: new Uint8Array(64).fill(2), role: 'ordinary' as const }];
    const resumed = startedEngine(0, { record: state.record, storedBlocks: stored });
    const fetched = after(resumed, { kind: 'block-fetched', ...blocks[0] }, validated(blocks[0]));
    assert.deepEqual(
      effectsOf(fetched, 'validate-block').map(({ hash }) => hash),
      [blocks[1].hash],
    );
  });

  it('that lost everything but the record asks for the block of its highest QC', () => {
    const { state, blocks } = threeBlocks();
    const resumed = startedEngine(0, { record: state.record });
    assert.equal(resumed.round, 4);
    const transition = after(resumed, { kind: 'timer-fired', timer: 'round', round: 4 });
    assert.ok(bytesEqual(effectsOf(transition, 'request-block')[0]?.hash as Uint8Array, blocks[2].hash));
  });

  it('that committed by sync beyond its record resumes from what it committed', () => {
    const { state, blocks } = threeBlocks();
    const committed = after(state, committing(blocks[2])).state;
    const resumed = startedEngine(0, { committed: { point: committed.committed, proof: committed.commitProof } });
    assert.equal(resumed.round, 4);
    assert.equal(highestRoundOf(resumed.record), 3);
  });
});
