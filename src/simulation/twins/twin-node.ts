// One node of a scenario: the real engine and the real vote pool, as a runner drives them. Its clock is the scenario's: timers run out and
// payloads are ready when the scenario says so. Everything that it remembers is a value, so that a scenario can be continued in many ways
// from one point: `copy`.
import { certificateOf, timeoutCertificateOf } from '../../core/consensus/certificates.ts';
import type { Effect, RequestPayload, SendCertificates, ValidateBlock } from '../../core/consensus/effects.ts';
import { step } from '../../core/consensus/engine.ts';
import { type ConsensusEvent, eventsOfBundle } from '../../core/consensus/events.ts';
import type { VoteKind } from '../../core/consensus/signature-sets.ts';
import { type ConsensusParameters, type ConsensusState, initialState, type TimerKind } from '../../core/consensus/state.ts';
import {
  addVote,
  advanceVotePool,
  emptyVotePool,
  settleOne,
  settleTogether,
  type VotePool,
  type VoteWork,
  voteBoundsOf,
} from '../../core/consensus/vote-pool.ts';
import { sha256 } from '../../core/crypto/sha256.ts';
import { bytesToHex, uint64ToBytes, ZERO_32 } from '../../core/primitives/bytes.ts';
import { invariant } from '../../core/primitives/errors.ts';
import type { Hex, ValidatorIndex } from '../../core/primitives/ids.ts';
import type { ExecutionCommitment } from '../../core/protocol/block.ts';
import type { BlockPoint, QuorumCertificate } from '../../core/protocol/certificate.ts';
import { LOAD_DESCENDANTS } from '../../core/protocol/limits.ts';
import type { CertificateBundle } from '../../core/protocol/vote.ts';
import { type NamedBlock, nameOfCertificate, nameOfPoint, type Speech, type TwinMessage } from './speech.ts';

/** The devnet's, but for the idle wait. Times mean nothing here: a round's timer runs out when the scenario says so. */
const PARAMETERS: ConsensusParameters = {
  roundTimeoutMs: 1_000,
  roundTimeoutMsMax: 20_000,
  roundTimeoutGrowthPercent: 150,
  resendIntervalMs: 500,
  idleIntervalMs: 0,
  leaderWindow: 8,
};
const NO_LOAD = { gas: 0, backlog: 0, stateLeaves: 0 };
const NOTHING_EXECUTED: ExecutionCommitment = {
  stateRoot: ZERO_32,
  receiptsRoot: ZERO_32,
  outboxRoot: ZERO_32,
  gasUsed: 0,
  logsBloom: new Uint8Array(256),
  cursors: [],
  load: { whole: NO_LOAD, descendants: Array.from({ length: LOAD_DESCENDANTS }, () => NO_LOAD) },
  proposerFeesWei: 0n,
  burnedFeesWei: 0n,
};

/** What a node does in its world. */
export interface Surroundings {
  /** To all other nodes, or to one. */
  send(from: TwinNode, to: number | undefined, message: TwinMessage): void;
  /** The node misses a block. */
  fetch(from: TwinNode, hash: Uint8Array): void;
  /** A certificate was made, of votes that were verified. */
  onCertificate(kind: VoteKind, certificate: QuorumCertificate): void;
  /** Before anything comes of a commit or a report. */
  onEffect(node: TwinNode, effect: Effect): void;
}

/** See the file's head. */
export class TwinNode {
  readonly index: number;
  readonly validator: ValidatorIndex;
  state: ConsensusState;
  /** What a leader was asked for and has not given yet. */
  wantedPayload: RequestPayload | undefined;
  readonly #speech: Speech;
  readonly #surroundings: Surroundings;
  readonly #blocks: Map<Hex, NamedBlock>;
  readonly #answered: Set<number>;
  #pool: VotePool;
  readonly #queue: ConsensusEvent[] = [];
  #isStepping = false;

  private constructor(from: Pick<TwinNode, 'index' | 'validator' | 'state'>, speech: Speech, surroundings: Surroundings) {
    this.index = from.index;
    this.validator = from.validator;
    this.state = from.state;
    this.#speech = speech;
    this.#surroundings = surroundings;
    this.#blocks = new Map();
    this.#answered = new Set();
    this.#pool = emptyVotePool(speech.instance, voteBoundsOf(this.state));
  }

  /** A node that is about to start. */
  static begin(index: number, validator: ValidatorIndex, speech: Speech, surroundings: Surroundings): TwinNode {
    const { instance } = speech;
    const state = initialState({
      instance,
      parameters: PARAMETERS,
      self: validator,
      record: undefined,
      committed: undefined,
      closed: undefined,
      storedBlocks: [],
    });
    return new TwinNode({ index, validator, state }, speech, surroundings);
  }

  /** The same node in another world. */
  copy(surroundings: Surroundings): TwinNode {
    const copy = new TwinNode(this, this.#speech, surroundings);
    copy.#pool = this.#pool;
    copy.wantedPayload = this.wantedPayload;
    for (const [hashHex, block] of this.#blocks) copy.#blocks.set(hashHex, block);
    return copy;
  }

  start(): void {
    this.#post({ kind: 'started' });
  }

  /** A new round of the scenario: peers that are behind may be answered again. */
  beginRound(): void {
    this.#answered.clear();
  }

  fire(timer: TimerKind): void {
    this.#post({ kind: 'timer-fired', timer, round: this.state.round });
  }

  hear(message: TwinMessage, from: number): void {
    if (!this.#speech.isGood(message)) return;
    switch (message.kind) {
      case 'proposal':
        this.#blocks.set(bytesToHex(message.hash), message);
        return this.#post({ kind: 'proposal-received', hash: message.hash, header: message.header });
      case 'vote':
      case 'commit-vote':
        return this.#count(message.kind, message, from);
      case 'timeout':
        return this.#post({ kind: 'timeout-received', timeout: message.timeout, from: String(from) });
      case 'certificates':
        for (const event of eventsOfBundle(message.bundle)) this.#post(event);
        return;
      case 'blocks':
        for (const { hash, header } of message.blocks) {
          this.#blocks.set(bytesToHex(hash), { hash, header });
          this.#post({ kind: 'block-fetched', hash, header });
        }
    }
  }

  /** Proposes, if the node still leads where it was asked to. */
  givePayload(): void {
    const wanted = this.wantedPayload;
    invariant(wanted !== undefined, 'a payload is given where one is wanted');
    this.wantedPayload = undefined;
    const { parentHash, round, vrfAlpha } = wanted;
    const vrfProof = this.#speech.keys.vrf.prove(this.#speech.keys.secretOf(this.validator), vrfAlpha);
    const payload = {
      vrfProof,
      vrfOutput: this.#speech.keys.vrf.output(vrfProof),
      timestampMs: round,
      beaconReference: { height: 0, hash: ZERO_32 },
      bodyRoot: sha256(uint64ToBytes(this.index)), // Twins say different things, else they would be of no harm.
      gasBought: 0,
      baseFeePerGasWei: 1n,
      parentExecution: NOTHING_EXECUTED,
      postStateRoot: ZERO_32,
    };
    this.#post({ kind: 'payload-ready', parentHash, round, role: 'ordinary', payload });
  }

  /** A block and its ancestors above a height, if all are here. */
  chainTo(hash: Uint8Array, aboveHeight: number): readonly NamedBlock[] | undefined {
    const chain: NamedBlock[] = [];
    for (let wanted = hash; ; ) {
      const block = this.#blocks.get(bytesToHex(wanted));
      if (block === undefined) return undefined;
      chain.unshift({ hash: block.hash, header: block.header });
      if (block.header.height <= aboveHeight + 1) return chain;
      wanted = block.header.parentHash;
    }
  }

  /** Everything that the node's future depends on, as text: two nodes with equal texts do the same for ever. */
  describe(): string {
    const { round, consecutiveFailures, record, committed, commitProof, pendingCommit, nearestCommit, blocks, timeouts } = this.state;
    const [timeoutCertificate] = record.timeoutCertificate;
    const lines = [
      `${round} ${consecutiveFailures} ${this.state.aggregatedRound} ${this.state.resendingRound} ${this.wantedPayload?.round ?? '-'}`,
      `${record.lastVotedRound} ${record.lastCommitVotedRound} ${record.lastProposedRound} ${record.lastTimeoutRound}`,
      `${bytesToHex(record.lastVotedHash)} ${bytesToHex(record.lastCommitVotedHash)} ${bytesToHex(record.lastProposedHash)}`,
      `${nameOfCertificate(record.highestQuorumCertificate[0])} ${timeoutCertificate === undefined ? '-' : bytesToHex(timeoutCertificate.signature)}`,
      `${bytesToHex(committed.hash)} ${nameOfCertificate(commitProof?.quorumCertificate)} ${nameOfCertificate(commitProof?.commitCertificate)}`,
      ...[pendingCommit, nearestCommit].map(
        (commit) => `${nameOfCertificate(commit?.commitCertificate)} ${nameOfCertificate(commit?.quorumCertificate)}`,
      ),
      `${this.state.requestedPayload?.round ?? '-'} ${this.state.requestedPayload?.parentHex ?? '-'}`,
      ...[...blocks.values()].map(({ hashHex, status, isCertified }) => `${hashHex} ${status} ${isCertified}`).sort(),
      ...[...timeouts.values()].map((timeout) => {
        const { validator, round: gaveUp, highestQuorumCertificate } = timeout;
        return `${validator} ${gaveUp} ${nameOfCertificate(highestQuorumCertificate[0])}`;
      }),
      [...this.#blocks.keys()].sort().join(' '),
      ...[...this.#pool.tallies].map(([key, { slots, checking, certified, suspects, equivocators }]) => {
        const votes = slots.map((slot) => (slot === undefined ? '-' : `${nameOfPoint(slot.vote.point)}${slot.isVerified}`));
        return [key, ...votes, checking, certified, ...suspects, '/', ...equivocators].join(' ');
      }),
    ];
    return lines.join('\n');
  }

  #post(event: ConsensusEvent): void {
    this.#queue.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#step(next);
    this.#isStepping = false;
  }

  #step(event: ConsensusEvent): void {
    const before = this.state;
    const { state, effects } = step(before, event);
    this.state = state;
    for (const effect of effects) this.#carryOut(effect);
    if (before.round !== state.round || before.committed !== state.committed || before.record !== state.record) {
      this.#pool = advanceVotePool(this.#pool, voteBoundsOf(state));
    }
  }

  #carryOut(effect: Effect): void {
    const surroundings = this.#surroundings;
    switch (effect.kind) {
      case 'sign-and-send-proposal':
        this.#blocks.set(bytesToHex(effect.hash), { hash: effect.hash, header: effect.header });
        return surroundings.send(this, undefined, this.#speech.proposal(this.validator, effect));
      case 'sign-and-send-vote':
        return this.#sendVote('vote', effect.point);
      case 'sign-and-send-commit-vote':
        return this.#sendVote('commit-vote', effect.point);
      case 'sign-and-send-timeout': {
        const message = this.#speech.timeout(this.validator, effect);
        surroundings.send(this, undefined, message);
        return this.#post({ kind: 'timeout-received', timeout: message.timeout, from: String(this.index) });
      }
      case 'aggregate-timeouts': {
        const signature = this.#speech.keys.bls.aggregate(effect.timeouts.map((timeout) => timeout.signature));
        invariant(signature !== undefined, 'there are timeouts to aggregate');
        const certificate = timeoutCertificateOf(this.#speech.instance.committee, effect.timeouts, signature);
        return this.#post({ kind: 'timeout-certificate-received', certificate });
      }
      case 'send-certificates':
        return this.#sendCertificates(effect);
      case 'request-payload':
        this.wantedPayload = effect;
        return;
      case 'validate-block':
        return this.#validate(effect);
      case 'request-block':
        return surroundings.fetch(this, effect.hash);
      case 'commit':
      case 'report':
        return surroundings.onEffect(this, effect);
      case 'discard-blocks':
        for (const hash of effect.hashes) this.#blocks.delete(bytesToHex(hash));
        return;
      case 'persist': // Nobody crashes here.
      case 'store-block':
      case 'set-timer': // The scenario is the clock.
      case 'round-entered':
      case 'instance-closed': // Scenarios have ordinary blocks only.
        return;
    }
  }

  #validate({ hash, header, vrfAlpha, proposer }: ValidateBlock): void {
    const member = this.#speech.instance.committee.members[proposer];
    invariant(member !== undefined, 'the leader is a member');
    const vrfOutput = this.#speech.keys.vrf.verify(member.vrfPublicKey, vrfAlpha, header.vrfProof);
    this.#post({ kind: 'block-validated', hash, vrfOutput, role: 'ordinary', isHeldBack: false });
  }

  #sendVote(kind: VoteKind, point: BlockPoint): void {
    const message = this.#speech.vote(this.validator, kind, point);
    this.#surroundings.send(this, undefined, message);
    this.#count(kind, message, this.index);
  }

  // A peer that is behind is answered once a round: a runner answers at a limited rate.
  #sendCertificates({ to, certificates }: SendCertificates): void {
    const peer = to === undefined ? undefined : Number(to);
    if (peer !== undefined && (peer === this.index || this.#answered.has(peer))) return;
    if (peer !== undefined) this.#answered.add(peer);
    const { highestQuorumCertificate, commitProof, timeoutCertificate } = certificates;
    const bundle: CertificateBundle = {
      instanceId: this.#speech.instance.instanceId,
      highestQuorumCertificate: highestQuorumCertificate === undefined ? [] : [highestQuorumCertificate],
      commitCertificate: commitProof === undefined ? [] : [commitProof.commitCertificate],
      commitQuorumCertificate: commitProof === undefined ? [] : [commitProof.quorumCertificate],
      timeoutCertificate: timeoutCertificate === undefined ? [] : [timeoutCertificate],
      nonce: 0,
    };
    this.#surroundings.send(this, peer, this.#speech.certificates(bundle));
  }

  // Votes are verified when they are heard, so nothing of the pool's work is left to wait for.
  #count(kind: VoteKind, message: Extract<TwinMessage, { kind: VoteKind }> | ReturnType<Speech['vote']>, from: number): void {
    if (message.kind !== 'vote' && message.kind !== 'commit-vote') return;
    const { pool, work, outcome } = addVote(this.#pool, kind, message.vote, { from: String(from), isVerified: true });
    this.#pool = pool;
    if (outcome === 'old-round') this.#post({ kind: 'old-message-seen', from: String(from) });
    for (const task of work) this.#doVoteWork(task);
  }

  #doVoteWork(work: VoteWork): void {
    if (work.kind === 'verify-one') {
      const settled = settleOne(this.#pool, work, true);
      this.#pool = settled.pool;
      for (const task of settled.work) this.#doVoteWork(task);
      return;
    }
    this.#pool = settleTogether(this.#pool, work, true).pool;
    const signature = this.#speech.keys.bls.aggregate(work.votes.map(({ vote }) => vote.signature));
    invariant(signature !== undefined, 'there are votes to aggregate');
    const memberIndexes = work.votes.map(({ memberIndex }) => memberIndex);
    const certificate = certificateOf(this.#speech.instance.committee, work.point, memberIndexes, signature);
    this.#surroundings.onCertificate(work.voteKind, certificate);
    if (work.voteKind === 'vote') this.#post({ kind: 'quorum-certificate-received', certificate });
    else this.#post({ kind: 'commit-certificate-received', certificate, quorumCertificate: undefined });
  }
}
