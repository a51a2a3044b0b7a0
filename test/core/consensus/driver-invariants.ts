// What must hold in every schedule (protocol, section 1: agreement, durability, accountability), checked at each step of each correct
// node, across its crashes; and how often each rule of interest was exercised.
import assert from 'node:assert/strict';
import { isCarrier } from '../../../src/core/consensus/block-role.ts';
import type { Effect } from '../../../src/core/consensus/effects.ts';
import type { ConsensusEvent } from '../../../src/core/consensus/events.ts';
import { highestRoundOf, type SigningRecord } from '../../../src/core/consensus/record.ts';
import type { ConsensusState } from '../../../src/core/consensus/state.ts';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import { blockHashOf } from '../../../src/core/protocol/block.ts';
import { type DriverNode, isLeaderChangedByWindow } from './driver-node.ts';

/** How often each rule was at work. */
export type Hits = RoundHits & ClosingHits;

/** Rules that every schedule may come to. */
export interface RoundHits {
  timeoutCertificatesFormed: number;
  lateQuorumCertificatesAdopted: number;
  joinedByHonestMinority: number;
  restartsFromRecord: number;
  restartsFromRecordAlone: number;
  leadersChangedByWindow: number;
  equivocationsAmongTwins: number;
  blocksCommitted: number;
}

/** Rules of the end of an instance. */
export interface ClosingHits {
  carriersMade: number;
  closedByOwnCertificate: number;
  closedByCarrier: number;
  /** By a CC that a node which had closed sent as answer. */
  closedByAnswer: number;
  /** When a block arrived that was missing. */
  closedByFetching: number;
  restartsAfterTheEnd: number;
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
    carriersMade: 0,
    closedByOwnCertificate: 0,
    closedByCarrier: 0,
    closedByAnswer: 0,
    closedByFetching: 0,
    restartsAfterTheEnd: 0,
  };
}

interface Signed {
  readonly votes: Map<number, string>;
  readonly commitVotes: Map<number, string>;
  readonly proposals: Map<number, string>;
  lastTimeoutRound: number;
  durable: SigningRecord | undefined;
  /** How often the end of the instance was told in this life, and in all. */
  ends: number;
  endsInAll: number;
}

/** All that a node does whose instance has ended: it answers. */
const AFTER_THE_END: ReadonlySet<Effect['kind']> = new Set(['send-certificates', 'instance-closed']);

/** Watches the correct nodes of one instance. */
export class Invariants {
  readonly #hits: Hits;
  readonly #committed = new Map<number, string>();
  #closing: { readonly height: number; readonly hashHex: string } | undefined;
  readonly #closingHeights = new Set<number>();
  readonly #heightOf = new Map<string, number>();
  readonly #signed = new Map<string, Signed>();

  constructor(hits: Hits) {
    this.#hits = hits;
  }

  /** Block at a height that correct nodes committed, in hexadecimal. */
  committedAt(height: number): string | undefined {
    return this.#committed.get(height);
  }

  /** True if blocks of this height are closing blocks and carriers, as far as was seen. */
  isClosingHeight(height: number): boolean {
    return this.#closingHeights.has(height);
  }

  /** At the end of a run: the node told its shell, agrees, and is at the end. */
  hasClosed(node: DriverNode): void {
    const { state } = node;
    assert.ok(state.closed !== undefined && this.#signedBy(node).endsInAll > 0, `${node.name} has told its shell`);
    assert.equal(bytesToHex(state.committed.hash), this.#closing?.hashHex, `${node.name} has closed with the block of the others`);
    assert.equal(node.disk.closed?.carriers.length, state.closed.carriers.length, `${node.name} finds the end when it starts again`);
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
    for (const { role, header } of after.blocks.values()) if (role === 'closing') this.#closingHeights.add(header.height);
    if (before.closed === undefined && after.closed !== undefined) {
      if (after.closed.carriers.length === 0) hits.closedByOwnCertificate++;
      else hits.closedByCarrier++;
      const beyond = effects.some((effect) => effect.kind === 'request-payload' && effect.height > after.committed.height);
      assert.ok(!beyond && effects.every(({ kind }) => kind !== 'sign-and-send-timeout'), `${node.name} stops where the instance ends`);
      if (event.kind === 'commit-certificate-received' && event.quorumCertificate !== undefined) hits.closedByAnswer++;
      if (event.kind === 'block-validated') hits.closedByFetching++;
    }
    const excess = before.closed === undefined ? undefined : effects.find(({ kind }) => !AFTER_THE_END.has(kind));
    assert.equal(excess?.kind, undefined, `${node.name} does nothing but answer after the end`);
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
        this.#isCarrierAboveTheEnd(node, effect.point.blockHash);
        return;
      case 'sign-and-send-commit-vote':
        this.#once(node, signed.commitVotes, effect.point.round, effect.point.blockHash);
        assert.equal(signed.durable?.lastCommitVotedRound, effect.point.round, 'the commit vote is on disk');
        return;
      case 'sign-and-send-proposal':
        this.#once(node, signed.proposals, effect.header.round, effect.hash);
        assert.equal(signed.durable?.lastProposedRound, effect.header.round, 'the proposal is on disk');
        if (isCarrier(effect.header)) this.#hits.carriersMade++;
        return;
      case 'sign-and-send-timeout':
        signed.lastTimeoutRound = Math.max(signed.lastTimeoutRound, effect.round);
        assert.equal(signed.durable?.lastTimeoutRound, effect.round, 'the timeout is on disk');
        this.#reportsItsCommitVotes(node, signed, effect.round, effect.highestQuorumCertificate?.point.round ?? 0);
        return;
      case 'commit':
        this.#commit(node, effect);
        return;
      case 'instance-closed':
        this.#close(node, signed, effect);
        return;
    }
  }

  /** A node starts again from its record; the heights that it lost may be committed again. */
  restarted(node: DriverNode): void {
    this.#signedBy(node).ends = 0;
    if (node.disk.closed !== undefined) this.#hits.restartsAfterTheEnd++;
    this.#heightOf.set(node.name, node.disk.committed?.point.height ?? node.instance.startRecord.height);
  }

  // Above a closing block there are carriers, and nowhere else.
  #isCarrierAboveTheEnd({ name, state }: DriverNode, hash: Uint8Array): void {
    const block = state.blocks.get(bytesToHex(hash));
    const parentRole = state.blocks.get(block?.parentHex ?? '')?.role ?? 'ordinary';
    assert.ok(block === undefined || isCarrier(block.header) === (parentRole !== 'ordinary'), `${name} voted against the end`);
  }

  // The carriers lead from the closing block to the certificates, and the closing block was committed just before.
  #close(node: DriverNode, signed: Signed, { closing, carriers, proof }: Extract<Effect, { kind: 'instance-closed' }>): void {
    assert.equal(++signed.ends, 1, `${node.name} tells of the end once in a life`);
    signed.endsInAll++;
    const hashHex = bytesToHex(closing.hash);
    this.#closing ??= { height: closing.height, hashHex };
    assert.equal(hashHex, this.#closing.hashHex, `${node.name} closes with another block`);
    assert.equal(this.#committed.get(closing.height), hashHex, `${node.name} has committed what it closes with`);
    let tip = closing.hash;
    for (const carrier of carriers) {
      assert.deepEqual([bytesToHex(carrier.parentHash), carrier.height], [bytesToHex(tip), closing.height], 'carriers are a chain');
      tip = blockHashOf(carrier);
    }
    const { quorumCertificate, commitCertificate } = proof;
    for (const { point } of [quorumCertificate, commitCertificate]) assert.equal(bytesToHex(point.blockHash), bytesToHex(tip));
  }

  #commit(node: DriverNode, { hash, header, point, quorumCertificate }: Extract<Effect, { kind: 'commit' }>): void {
    assert.ok(!isCarrier(header), `${node.name} committed a carrier`);
    assert.ok(header.height <= (this.#closing?.height ?? header.height), `${node.name} committed a block after the end`);
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
      ends: 0,
      endsInAll: 0,
    };
    this.#signed.set(node.name, known);
    return known;
  }
}
