import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BlockRole } from '../../../src/core/consensus/block-role.ts';
import { pathToCommitted, splitAtCommitted } from '../../../src/core/consensus/block-tree.ts';
import type { ConsensusEvent } from '../../../src/core/consensus/events.ts';
import type { ConsensusState, Transition } from '../../../src/core/consensus/state.ts';
import { addVote, emptyVotePool, voteBoundsOf } from '../../../src/core/consensus/vote-pool.ts';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import {
  after,
  blockOn,
  certificateFor,
  certified,
  effectsOf,
  FOUR,
  payloadFor,
  pointOfBlock,
  startedEngine,
  timeoutBy,
  timeoutCertificateFor,
  unstartedEngine,
  validated,
} from './values.ts';

type Block = ReturnType<typeof blockOn>;

const proposed = (block: Block, role: BlockRole): readonly ConsensusEvent[] => [
  { kind: 'proposal-received', ...block },
  validated(block, role),
];
const committing = (block: Block): ConsensusEvent => ({
  kind: 'commit-certificate-received',
  certificate: certificateFor(pointOfBlock(block)),
  quorumCertificate: certificateFor(pointOfBlock(block)),
});
const carrierOn = (state: ConsensusState, round: number, parent: Block): Block =>
  blockOn(state, round, certificateFor(pointOfBlock(parent)), undefined, { height: parent.header.height });

/** An ordinary block, a closing one, and carriers on it, all certified; the state that has them. */
function closingChain(
  carriers: number,
  self = 0,
): { readonly state: ConsensusState; readonly blocks: readonly [Block, Block, ...Block[]] } {
  let state = startedEngine(self);
  const first = blockOn(state, 1);
  state = after(state, ...proposed(first, 'ordinary'), certified(first)).state;
  const closing = blockOn(state, 2, certificateFor(pointOfBlock(first)));
  state = after(state, ...proposed(closing, 'closing'), certified(closing)).state;
  const blocks: [Block, Block, ...Block[]] = [first, closing];
  for (let round = 3; round < 3 + carriers; round++) {
    const carrier = carrierOn(state, round, blocks.at(-1) as Block);
    state = after(state, ...proposed(carrier, 'carrier'), certified(carrier)).state;
    blocks.push(carrier);
  }
  return { state, blocks };
}

const hashesOf = (transition: Transition, kind: 'commit' | 'discard-blocks'): string[] =>
  kind === 'commit'
    ? effectsOf(transition, kind).map(({ hash }) => bytesToHex(hash))
    : effectsOf(transition, kind).flatMap(({ hashes }) => hashes.map(bytesToHex));

describe('a closing block', () => {
  it('has carriers only: its leader asks for one, and makes a header at its height', () => {
    let leaders = 0;
    for (const self of [0, 2, 4, 6]) {
      const { blocks } = closingChain(1, self);
      const tip = blocks.at(-1) as Block;
      const entered = after(startedEngine(self), ...replayOf(blocks));
      const [request] = effectsOf(entered, 'request-payload');
      if (request === undefined) continue;
      leaders++;
      assert.deepEqual([request.isCarrier, request.height, request.round], [true, 2, 4]);
      const ready: ConsensusEvent = { kind: 'payload-ready', parentHash: tip.hash, round: 4, role: 'carrier', payload: payloadFor(4) };
      const [proposal] = effectsOf(after(entered.state, ready), 'sign-and-send-proposal');
      assert.equal(proposal?.header.height, 2);
      assert.throws(() => after(entered.state, { ...ready, role: 'ordinary' }), 'the shell must make what it was asked for');
    }
    assert.equal(leaders, 1);
  });

  it('makes an ordinary block above it invalid without asking the shell, and a carrier on an ordinary block', () => {
    const { state, blocks } = closingChain(0);
    const beyond = blockOn(state, 3, certificateFor(pointOfBlock(blocks[1])));
    const refused = after(state, { kind: 'proposal-received', ...beyond });
    assert.equal(effectsOf(refused, 'validate-block').length, 0);
    assert.deepEqual(
      effectsOf(refused, 'report').map(({ report }) => report),
      ['wrong-role'],
    );
    const fresh = startedEngine();
    const first = blockOn(fresh, 1);
    const onFirst = after(fresh, ...proposed(first, 'ordinary'), certified(first)).state;
    const early = after(onFirst, { kind: 'proposal-received', ...carrierOn(onFirst, 2, first) });
    assert.equal(effectsOf(early, 'validate-block').length, 0);
    assert.deepEqual(
      effectsOf(early, 'report').map(({ report }) => report),
      ['wrong-role'],
    );
  });

  it('is voted for, and its carriers, like any other block', () => {
    const { state, blocks } = closingChain(0);
    const carrier = carrierOn(state, 3, blocks[1]);
    const voted = after(state, ...proposed(carrier, 'carrier'));
    assert.deepEqual(
      effectsOf(voted, 'sign-and-send-vote').map(({ point }) => point),
      [pointOfBlock(carrier)],
    );
  });
});

describe('the end of an instance', () => {
  it('comes with the CC of the closing block: blocks in order, then what shows it', () => {
    const { state, blocks } = closingChain(0);
    const end = after(state, committing(blocks[1]));
    assert.deepEqual(
      hashesOf(end, 'commit'),
      blocks.map(({ hash }) => bytesToHex(hash)),
    );
    assert.deepEqual(
      effectsOf(end, 'commit').map(({ closed }) => closed !== undefined),
      [false, true],
    );
    const [closed] = effectsOf(end, 'instance-closed');
    assert.deepEqual(closed?.closing.hash, blocks[1].hash);
    assert.deepEqual(closed?.carriers, []);
    assert.deepEqual(closed?.proof.commitCertificate.point, pointOfBlock(blocks[1]));
    assert.equal(end.effects.at(-1)?.kind, 'instance-closed');
  });

  it('comes with the CC of a carrier, which covers it; carriers are not committed, and those on the way not discarded', () => {
    const { state, blocks } = closingChain(3);
    const [first, closing, ...carriers] = blocks;
    const end = after(state, committing(carriers[1] as Block));
    assert.deepEqual(
      hashesOf(end, 'commit'),
      [first, closing].map(({ hash }) => bytesToHex(hash)),
    );
    const [closed] = effectsOf(end, 'instance-closed');
    assert.deepEqual(
      closed?.carriers,
      carriers.slice(0, 2).map(({ header }) => header),
    );
    assert.deepEqual(closed?.proof.quorumCertificate.point, pointOfBlock(carriers[1] as Block));
    assert.deepEqual(hashesOf(end, 'discard-blocks'), [bytesToHex((carriers[2] as Block).hash)]);
    const [, commitOfClosing] = effectsOf(end, 'commit');
    assert.deepEqual(commitOfClosing?.quorumCertificate.point, pointOfBlock(closing), 'the QC in the first carrier');
    assert.equal(commitOfClosing?.commitCertificate, undefined);
    assert.equal(end.state.blocks.size, 0);
  });

  it('keeps closing block and carriers while only a block below is committed', () => {
    const { state, blocks } = closingChain(2);
    const committed = after(state, committing(blocks[0]));
    assert.equal(committed.state.closed, undefined);
    assert.equal(committed.state.blocks.size, 3);
    assert.equal(effectsOf(after(committed.state, committing(blocks[3] as Block)), 'instance-closed').length, 1);
  });

  it('waits for carriers that are missing, and asks for them at the height of the closing block', () => {
    const { blocks } = closingChain(2);
    const asked = after(startedEngine(), committing(blocks[3] as Block));
    assert.deepEqual(effectsOf(asked, 'request-block').map(({ hash, height }) => [hash, height])[0], [(blocks[3] as Block).hash, 2]);
    let state = asked.state;
    let last: Transition = asked;
    for (const [index, height] of [
      [3, 2],
      [2, 2],
      [1, 1],
    ] as const) {
      last = after(state, { kind: 'block-fetched', ...(blocks[index] as Block) });
      assert.deepEqual(
        effectsOf(last, 'request-block').map((request) => request.height),
        [height],
      );
      state = last.state;
    }
    last = after(
      state,
      { kind: 'block-fetched', ...blocks[0] },
      validated(blocks[0]),
      validated(blocks[1], 'closing'),
      validated(blocks[2] as Block, 'carrier'),
      validated(blocks[3] as Block, 'carrier'),
    );
    assert.equal(effectsOf(last, 'instance-closed').length, 1);
    assert.deepEqual(
      hashesOf(last, 'commit'),
      blocks.slice(0, 2).map(({ hash }) => bytesToHex(hash)),
    );
  });

  it('is not the last word of a step only: what the same event would go on to do is left', () => {
    const { state, blocks } = closingChain(1);
    const held = after(state, { ...committing(blocks[2] as Block), quorumCertificate: undefined } as ConsensusEvent);
    assert.ok(held.state.closed !== undefined, 'its QC is the highest');
    const carrier = carrierOn(state, 4, blocks[2] as Block);
    const certificate = timeoutCertificateFor(9, certificateFor(pointOfBlock(carrier)));
    const waiting = after(
      state,
      { kind: 'commit-certificate-received', certificate: certificateFor(pointOfBlock(carrier)), quorumCertificate: undefined },
      ...proposed(carrier, 'carrier'),
    );
    assert.equal(waiting.state.closed, undefined);
    const end = after(waiting.state, { kind: 'timeout-certificate-received', certificate });
    assert.ok(end.state.closed !== undefined);
    assert.equal(end.state.round, 5, 'by the QC, not by the TC');
    assert.deepEqual(
      effectsOf(end, 'round-entered').map(({ by }) => by),
      ['quorum-certificate'],
    );
  });
});

describe('an instance that has ended', () => {
  const { state: before, blocks } = closingChain(1);
  const end = after(before, committing(blocks[2] as Block));
  const { state } = end;

  it('says nothing more of its own', () => {
    const carrier = carrierOn(before, 4, blocks[2] as Block);
    const events: readonly ConsensusEvent[] = [
      { kind: 'timer-fired', timer: 'round', round: state.round },
      { kind: 'timer-fired', timer: 'resend', round: state.round },
      { kind: 'proposal-received', ...carrier },
      { kind: 'block-fetched', ...carrier },
      validated(carrier, 'carrier'),
      certified(carrier),
      committing(carrier),
      { kind: 'timeout-certificate-received', certificate: timeoutCertificateFor(9, certificateFor(pointOfBlock(carrier))) },
      { kind: 'payload-ready', parentHash: (blocks[2] as Block).hash, round: state.round, role: 'carrier', payload: payloadFor(4) },
    ];
    for (const event of events) assert.deepEqual(after(state, event), { state, effects: [] }, event.kind);
  });

  it('answers everybody with the QC and the CC that show it', () => {
    for (const event of [
      { kind: 'old-message-seen', from: 'peer' },
      { kind: 'timeout-received', timeout: timeoutBy(2, 70), from: 'peer' },
    ] as const) {
      const [answer] = effectsOf(after(state, event), 'send-certificates');
      const { quorumCertificate, commitCertificate } = answer?.certificates.commitProof ?? {};
      assert.deepEqual(
        [answer?.to, quorumCertificate?.point, commitCertificate?.point],
        ['peer', pointOfBlock(blocks[2] as Block), pointOfBlock(blocks[2] as Block)],
      );
    }
    assert.deepEqual(after(state, { kind: 'timeout-received', timeout: timeoutBy(0, 3), from: '' }).effects, [], 'not itself');
  });

  it('has every vote told as one of somebody who is behind', () => {
    for (const round of [1, 3, 4, 90]) {
      const vote = {
        instanceId: FOUR.instanceId,
        point: { ...pointOfBlock(blocks[1]), round },
        validator: 2,
        signature: new Uint8Array(96),
      };
      for (const kind of ['vote', 'commit-vote'] as const)
        assert.equal(
          addVote(emptyVotePool(FOUR, voteBoundsOf(state)), kind, vote, { from: 'peer', isVerified: false }).outcome,
          'old-round',
        );
    }
  });

  it('is told of once more when the node starts again, and goes on to answer', () => {
    const [, commit] = effectsOf(end, 'commit');
    const resumed = unstartedEngine(0, {
      record: state.record,
      committed: { point: state.committed, proof: undefined },
      closed: commit?.closed,
    });
    const started = after(resumed, { kind: 'started' });
    assert.deepEqual(started.effects, effectsOf(end, 'instance-closed'));
    assert.deepEqual(
      after(started.state, { kind: 'old-message-seen', from: 'peer' }).effects,
      after(state, { kind: 'old-message-seen', from: 'peer' }).effects,
    );
  });

  it('reports a CC above the closing block', () => {
    const beyond = certificateFor({ height: 3, round: 9, blockHash: new Uint8Array(32).fill(9) });
    const reported = after(state, { kind: 'commit-certificate-received', certificate: beyond, quorumCertificate: beyond });
    assert.deepEqual(
      effectsOf(reported, 'report').map(({ report }) => report),
      ['conflicting-commit'],
    );
  });
});

describe('the tree of blocks', () => {
  it('finds the way down carriers, and keeps them in whatever order they came', () => {
    const { state, blocks } = closingChain(3);
    const tip = blocks.at(-1) as Block;
    const walk = pathToCommitted(state, tip.hash, tip.header.height);
    assert.deepEqual(
      walk.kind === 'complete' ? walk.path.map(({ hash }) => hash) : [],
      blocks.map(({ hash }) => hash),
    );
    const reversed = new Map([...state.blocks].reverse());
    const committed = state.blocks.get(bytesToHex(blocks[0].hash))?.point;
    assert.ok(committed !== undefined);
    const { kept, dropped } = splitAtCommitted(reversed, committed);
    assert.deepEqual([kept.size, dropped.length], [4, 0]);
  });
});

/** All that made the chain, as events. */
function replayOf(blocks: readonly Block[]): readonly ConsensusEvent[] {
  return blocks.flatMap((block, index) => [
    ...proposed(block, index === 0 ? 'ordinary' : index === 1 ? 'closing' : 'carrier'),
    certified(block),
  ]);
}
