// What must hold in every schedule (protocol, section 1: agreement, durability, accountability), checked at each step of each correct
// node, across its crashes; and how often each rule of interest was exercised.
import assert from 'node:assert/strict';
import type { Effect } from '../../../src/core/consensus/effects.ts';
import type { ConsensusEvent } from '../../../src/core/consensus/events.ts';
import { highestRoundOf, type SigningRecord } from '../../../src/core/consensus/record.ts';
import type { ConsensusState } from '../../../src/core/consensus/state.ts';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import { type DriverNode, isLeaderChangedByWindow } from './driver-node.ts';

/** How often each rule was at work. */
export interface Hits {
  timeoutCertificatesFormed: number;
  lateQuorumCertificatesAdopted: number;
  joinedByHonestMinority: number;
  restartsFromRecord: number;
  restartsFromRecordAlone: number;
  leadersChangedByWindow: number;
  equivocationsAmongTwins: number;
  blocksCommitted: number;
}

/** No hits yet. */
export function noHits(): Hits {
  return {
    timeoutCertificatesFormed: 0,
    lateQuorumCertificatesAdopted: 0,
    joinedByHonestMinority: 0,
    restartsFromRecord: 0,
    restartsFromRecordAlone: 0,
    leadersChangedByWindow: 0,
    equivocationsAmongTwins: 0,
    blocksCommitted: 0,
  };
}

interface Signed {
  readonly votes: Map<number, string>;
  readonly commitVotes: Map<number, string>;
  readonly proposals: Map<number, string>;
  lastTimeoutRound: number;
  durable: SigningRecord | undefined;
}

/** Watches the correct nodes of one instance. */
export class Invariants {
  readonly #hits: Hits;
  readonly #committed = new Map<number, string>();
  readonly #heightOf = new Map<string, number>();
  readonly #signed = new Map<string, Signed>();

  constructor(hits: Hits) {
    this.#hits = hits;
  }

  /** Block at a height that correct nodes committed, in hexadecimal. */
  committedAt(height: number): string | undefined {
    return this.#committed.get(height);
  }

  /** After each step. */
  observe(node: DriverNode, event: ConsensusEvent, before: ConsensusState, after: ConsensusState, effects: readonly Effect[]): void {
    const hits = this.#hits;
    const adoptedRound = highestRoundOf(after.record);
    if (adoptedRound > highestRoundOf(before.record) && adoptedRound <= before.record.lastTimeoutRound)
      hits.lateQuorumCertificatesAdopted++;
    if (event.kind === 'timeout-received' && after.record.lastTimeoutRound > before.record.lastTimeoutRound) hits.joinedByHonestMinority++;
    for (const effect of effects) {
      if (effect.kind === 'aggregate-timeouts') hits.timeoutCertificatesFormed++;
      if (effect.kind === 'report' && effect.report === 'conflicting-proposals') hits.equivocationsAmongTwins++;
      assert.ok(effect.kind !== 'report' || effect.report !== 'conflicting-commit', `${node.name} saw conflicting commits`);
      assert.ok(effect.kind !== 'report' || effect.report !== 'certified-block-invalid', `${node.name} saw an invalid certified block`);
    }
    const [parent, child] = [before.committed, after.committed];
    if (child.height === parent.height + 1 && isLeaderChangedByWindow(node.instance, parent, child)) hits.leadersChangedByWindow++;
    assert.ok(after.blocks.size <= 200 && after.timeouts.size <= node.instance.committee.members.length, 'memory is bounded');
  }

  /** Before each effect is carried out. */
  observeEffect(node: DriverNode, effect: Effect): void {
    const signed = this.#signedBy(node);
    switch (effect.kind) {
      case 'persist':
        this.#promise(node, signed, effect.record);
        return;
      case 'sign-and-send-vote':
        this.#once(node, signed.votes, effect.point.round, effect.point.blockHash);
        assert.ok(effect.point.round > signed.lastTimeoutRound, `${node.name} voted in a round that it gave up`);
        assert.equal(signed.durable?.lastVotedRound, effect.point.round, 'the vote is on disk');
        assert.ok(node.disk.stored.has(bytesToHex(effect.point.blockHash)), 'the block voted for is on disk');
        return;
      case 'sign-and-send-commit-vote':
        this.#once(node, signed.commitVotes, effect.point.round, effect.point.blockHash);
        assert.equal(signed.durable?.lastCommitVotedRound, effect.point.round, 'the commit vote is on disk');
        return;
      case 'sign-and-send-proposal':
        this.#once(node, signed.proposals, effect.header.round, effect.hash);
        assert.equal(signed.durable?.lastProposedRound, effect.header.round, 'the proposal is on disk');
        return;
      case 'sign-and-send-timeout':
        signed.lastTimeoutRound = Math.max(signed.lastTimeoutRound, effect.round);
        assert.equal(signed.durable?.lastTimeoutRound, effect.round, 'the timeout is on disk');
        this.#reportsItsCommitVotes(node, signed, effect.round, effect.highestQuorumCertificate?.point.round ?? 0);
        return;
      case 'commit':
        this.#commit(node, effect);
        return;
    }
  }

  /** A node starts again from its record; the heights that it lost may be committed again. */
  restarted(node: DriverNode): void {
    this.#heightOf.set(node.name, node.disk.committed?.point.height ?? node.instance.startRecord.height);
  }

  #commit(node: DriverNode, { hash, header, point, quorumCertificate }: Extract<Effect, { kind: 'commit' }>): void {
    const { height } = header;
    const below = this.#heightOf.get(node.name) ?? node.instance.startRecord.height;
    assert.equal(height, below + 1, `${node.name} commits in the order of heights`);
    this.#heightOf.set(node.name, height);
    const hashHex = bytesToHex(hash);
    const agreed = this.#committed.get(height);
    assert.ok(agreed === undefined || agreed === hashHex, `${node.name} disagrees at height ${height}`);
    assert.equal(bytesToHex(quorumCertificate.point.blockHash), hashHex, 'each committed block comes with its own QC');
    assert.equal(bytesToHex(point.hash), hashHex);
    if (agreed === undefined) this.#hits.blocksCommitted++;
    this.#committed.set(height, hashHex);
  }

  // A commit vote counts from when it is on disk: a crash may delay its sending beyond a timeout.
  #promise(node: DriverNode, signed: Signed, record: SigningRecord): void {
    const isNew = record.lastCommitVotedRound !== (signed.durable?.lastCommitVotedRound ?? 0);
    assert.ok(!isNew || record.lastCommitVotedRound > signed.lastTimeoutRound, `${node.name} commit-voted in a round that it gave up`);
    signed.durable = record;
  }

  // Else the two would be evidence against it: what safety rests on, and what a validator is slashed for.
  #reportsItsCommitVotes(node: DriverNode, signed: Signed, round: number, reportedRound: number): void {
    for (const commitVotedRound of signed.commitVotes.keys()) {
      assert.ok(commitVotedRound > round || commitVotedRound <= reportedRound, `${node.name} hides the QC that it commit-voted on`);
    }
  }

  // Of one kind and round a correct node signs one thing only, however often it crashes; it may say the same again.
  #once(node: DriverNode, signed: Map<number, string>, round: number, hash: Uint8Array): void {
    const hashHex = bytesToHex(hash);
    const before = signed.get(round);
    assert.ok(before === undefined || before === hashHex, `${node.name} signed two blocks of round ${round}`);
    signed.set(round, hashHex);
  }

  #signedBy(node: DriverNode): Signed {
    const known = this.#signed.get(node.name) ?? {
      votes: new Map(),
      commitVotes: new Map(),
      proposals: new Map(),
      lastTimeoutRound: 0,
      durable: undefined,
    };
    this.#signed.set(node.name, known);
    return known;
  }
}
