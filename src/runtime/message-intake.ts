// What comes in for one instance: checked in the order of cost (membership, round, signatures), and only then told to the engine. Nothing that fails is forwarded; what an honest peer cannot send counts against
// the peer that handed it over (protocol, section 9).
import { pointOf } from '../core/consensus/block-tree.ts';
import { certificateOf, reportedRoundOf } from '../core/consensus/certificates.ts';
import { type ConsensusEvent, eventsOfBundle } from '../core/consensus/events.ts';
import { leaderOf } from '../core/consensus/leader.ts';
import {
  bundleClaims,
  certificateClaims,
  commitProofClaims,
  proposalClaims,
  type SignatureSet,
  timeoutClaims,
  type VoteKind,
  voteClaims,
} from '../core/consensus/signature-sets.ts';
import type { ConsensusState } from '../core/consensus/state.ts';
import {
  addVote,
  advanceVotePool,
  emptyVotePool,
  settleOne,
  settleTogether,
  VOTE_ROUNDS_BEHIND_MAX,
  type VotePool,
  type VoteWork,
  voteBoundsOf,
} from '../core/consensus/vote-pool.ts';
import type { BlsScheme } from '../core/crypto/bls.ts';
import { bytesEqual, bytesToHex } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32, Height, ValidatorIndex } from '../core/primitives/ids.ts';
import { type BlockHeader, blockHashOf } from '../core/protocol/block.ts';
import type { BlockCertificates } from '../core/protocol/certified-block.ts';
import type { Instance } from '../core/protocol/committee.ts';
import type { CertificateBundle, Proposal, Timeout, Vote } from '../core/protocol/vote.ts';
import type { Network, PeerName } from '../network/ports.ts';
import type { ChainBlocks } from './chain-blocks.ts';
import type { ConsensusMessage } from './consensus-codec.ts';
import type { EvidenceWatch } from './evidence-watch.ts';
import type { InstanceListener, MessageOutcome } from './instance-switch.ts';
import { claimsOfMessage, type MessageClaims } from './message-claims.ts';
import type { Logger, Metrics } from './ports.ts';
import type { ClaimsJudgement, VerifiedClaims } from './verified-claims.ts';

/** Weight of a message that no honest peer hands over. */
const BAD_MESSAGE_WEIGHT = 20;
/**
 * No honest validator gives up a round this far above the QC that it shows: that would be weeks of failed rounds. The own round alone is
 * no measure, since this node may have been away for long.
 */
const ROUNDS_AHEAD_MAX = 1_000_000;

/** Proposals of one proposer and round that are held: a second proves an offence, a third tells nothing new and would only fill memory. */
const PROPOSALS_OF_PROPOSER_MAX = 2;

/**
 * Proposals so far above the newest committed block are not held: a node that far behind fetches blocks in their order, and what cannot
 * be committed for a long time would take the room of what can. It hears of newer certificates all the same.
 */
const PROPOSALS_AHEAD_MAX = 256;

/** What the intake needs of its chain. */
export interface MessageIntakeDependencies {
  readonly instance: Instance;
  readonly blocks: ChainBlocks;
  readonly network: Network;
  /** Peer name of each validator. */
  readonly validatorPeers: readonly PeerName[];
  readonly claims: VerifiedClaims;
  /** Hears of everything that is of this instance and its members, of use or not. */
  readonly watch: EvidenceWatch;
  readonly bls: BlsScheme;
  readonly post: (event: ConsensusEvent) => boolean;
  readonly state: () => ConsensusState;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly onFault: (fault: unknown) => void;
}

/** See the file's head. */
export class MessageIntake implements InstanceListener {
  readonly #dependencies: MessageIntakeDependencies;
  #pool: VotePool | undefined;

  constructor(dependencies: MessageIntakeDependencies) {
    this.#dependencies = dependencies;
  }

  /** A vote of our own. */
  countOwn({ kind, vote }: Extract<ConsensusMessage, { kind: 'vote' | 'commit-vote' }>): void {
    this.#addVote(kind, vote, '', true);
  }

  /** The engine is in a new round: votes of old ones are of no use any more. */
  enterRound(): void {
    const state = this.#dependencies.state();
    this.#pool = advanceVotePool(this.#votePool(), voteBoundsOf(state));
    this.#dependencies.watch.enterRound(state.round);
  }

  /** `valid` when both certificates are of a quorum of the committee, for the block with this hash and height. */
  async judgeCommitted(
    { quorumCertificate, commitCertificate }: BlockCertificates,
    hash: Bytes32,
    height: Height,
  ): Promise<ClaimsJudgement> {
    const [commit] = commitCertificate;
    const { point } = quorumCertificate;
    if (commit === undefined || !bytesEqual(point.blockHash, hash) || point.height !== height) return 'invalid';
    const { instance, watch } = this.#dependencies;
    const claims = commitProofClaims(instance, quorumCertificate, commit);
    const judgement = claims.ok ? await this.#judge(claims.value) : 'invalid';
    if (judgement === 'valid') {
      watch.hearCertificate('vote', quorumCertificate, { from: '', isVerified: true });
      watch.hearCertificate('commit-vote', commit, { from: '', isVerified: true });
    }
    return judgement;
  }

  /** A message that names this instance. */
  async receive(message: ConsensusMessage, from: PeerName): Promise<MessageOutcome> {
    this.#dependencies.metrics.count('coppice_consensus_messages_total', { ...this.#labels(), kind: message.kind });
    switch (message.kind) {
      case 'proposal':
        return this.#receiveProposal(message.proposal, from);
      case 'vote':
      case 'commit-vote':
        return this.#receiveVote(message.kind, message.vote, from);
      case 'timeout':
        return this.#receiveTimeout(message.timeout, from);
      case 'certificates':
        return this.#receiveCertificates(message.certificates, from);
    }
  }

  /** Whether a message that was of no use here is good all the same. */
  async vouch(message: ConsensusMessage, from: PeerName): Promise<MessageOutcome> {
    return this.#verified(claimsOfMessage(this.#dependencies.instance, message), from, message.kind);
  }

  // Nobody signs a bundle, so anyone can say old certificates again and again under new nonces: only news is verified and handed on.
  async #receiveCertificates(certificates: CertificateBundle, from: PeerName): Promise<MessageOutcome> {
    const { instance, post, state, watch } = this.#dependencies;
    const claims = bundleClaims(instance, certificates);
    if (!claims.ok) return this.#bad(from, 'certificates', claims.reason);
    if (!isNews(certificates, state())) {
      watch.hearBundle(certificates, { from, isVerified: false });
      return 'unverified';
    }
    const verified = await this.#verified(claims, from, 'certificates');
    if (verified !== 'useful') return verified;
    watch.hearBundle(certificates, { from, isVerified: true });
    for (const event of eventsOfBundle(certificates)) post(event);
    return this.#isMeshFull() ? 'useless' : 'useful';
  }

  async #receiveProposal(proposal: Proposal, from: PeerName): Promise<MessageOutcome> {
    const { instance, blocks, post, state, watch } = this.#dependencies;
    const { header, body, signature } = proposal;
    if (header.height <= state().committed.height || header.round < state().round - VOTE_ROUNDS_BEHIND_MAX) {
      watch.hearLateProposal(proposal, from);
      post({ kind: 'old-message-seen', from });
      return 'unverified';
    }
    if (header.height > state().committed.height + PROPOSALS_AHEAD_MAX) {
      watch.hearLateProposal(proposal, from);
      this.#count('proposal', 'far-ahead');
      return 'unverified';
    }
    const hash = blockHashOf(header);
    if (blocks.get(hash) === undefined && blocks.countBy(header.proposer, header.round) >= PROPOSALS_OF_PROPOSER_MAX) {
      this.#count('proposal', 'too-many-of-proposer');
      return 'unverified';
    }
    const verified = await this.#verified(proposalClaims(instance, header, hash, signature), from, 'proposal');
    if (verified === 'bad') watch.hearRefusedHeader(hash, header, from);
    if (verified !== 'useful') return verified;
    watch.hearProposal(proposal, hash, { from, isVerified: true });
    if (this.#isOfAnother(header)) {
      // Whoever handed it on may not know its parent, and so not its leader; whoever signed it knew.
      this.#refuse(this.#dependencies.validatorPeers[header.proposer] ?? '', 'proposal', 'not-the-leader');
      return 'useless';
    }
    const added = await blocks.add(hash, header, body);
    if (!added.ok) {
      if (added.reason !== 'too-many-blocks') return this.#bad(from, 'proposal', added.reason);
      this.#count('proposal', added.reason);
      return 'useless';
    }
    post({ kind: 'proposal-received', hash, header });
    return this.#usefulUnlessNeighbour(header.proposer);
  }

  /** True when it is known who leads the header's round, and it is not the proposer. */
  #isOfAnother({ parentHash, round, proposer }: BlockHeader): boolean {
    const parent = pointOf(this.#dependencies.state(), bytesToHex(parentHash));
    return parent !== undefined && leaderOf(this.#dependencies.instance, parent, round) !== proposer;
  }

  // A vote is verified with the others that it makes a certificate with; before it is handed on, by itself: else the next node would
  // blame this one for a forgery in the name of somebody who is not there.
  async #receiveVote(kind: VoteKind, vote: Vote, from: PeerName): Promise<MessageOutcome> {
    const outcome = this.#addVote(kind, vote, from, false);
    switch (outcome) {
      case 'held':
        if (this.#usefulUnlessNeighbour(vote.validator) === 'useless') return 'unverified';
        return this.#verified(voteClaims(this.#dependencies.instance, kind, vote), from, kind);
      case 'old-round':
        this.#dependencies.post({ kind: 'old-message-seen', from });
        return 'unverified';
      case 'far-round':
        this.#count(kind, outcome);
        return 'unverified';
      case 'duplicate':
      case 'late':
        return 'unverified';
      case 'wrong-instance':
      case 'not-a-member':
      case 'bad-signature':
        return this.#bad(from, kind, outcome);
    }
  }

  async #receiveTimeout(timeout: Timeout, from: PeerName): Promise<MessageOutcome> {
    const { instance, post, state, watch } = this.#dependencies;
    if (timeout.round > Math.max(state().round, reportedRoundOf(timeout)) + ROUNDS_AHEAD_MAX)
      return this.#bad(from, 'timeout', 'far-round');
    const verified = await this.#verified(timeoutClaims(instance, timeout), from, 'timeout');
    if (verified !== 'useful') return verified;
    watch.hearTimeout(timeout, from);
    post({ kind: 'timeout-received', timeout, from });
    return this.#usefulUnlessNeighbour(timeout.validator);
  }

  async #verified(claims: MessageClaims, from: PeerName, kind: string): Promise<MessageOutcome> {
    if (!claims.ok) return this.#bad(from, kind, claims.reason);
    const judgement = await this.#judge(claims.value);
    if (judgement === 'not-looked-at') this.#count(kind, judgement);
    if (judgement !== 'invalid') return judgement === 'valid' ? 'useful' : 'unverified';
    return this.#bad(from, kind, 'bad-signature');
  }

  #addVote(kind: VoteKind, vote: Vote, from: PeerName, isVerified: boolean): ReturnType<typeof addVote>['outcome'] {
    const { pool, work, outcome } = addVote(this.#votePool(), kind, vote, { from, isVerified });
    this.#pool = pool;
    if (bytesEqual(vote.instanceId, pool.instance.instanceId)) this.#dependencies.watch.hearVote(kind, vote, { from, isVerified });
    this.#doWork(work);
    return outcome;
  }

  #doWork(work: readonly VoteWork[]): void {
    for (const task of work) {
      const done = task.kind === 'verify-together' ? this.#verifyTogether(task) : this.#verifyOne(task);
      done.catch(this.#dependencies.onFault);
    }
  }

  async #verifyTogether(work: Extract<VoteWork, { kind: 'verify-together' }>): Promise<void> {
    const { instance, bls, post, watch } = this.#dependencies;
    const { voteKind, point, votes } = work;
    const signature = bls.aggregate(votes.map(({ vote }) => vote.signature));
    const memberIndexes = votes.map(({ memberIndex }) => memberIndex);
    const certificate = signature === undefined ? undefined : certificateOf(instance.committee, point, memberIndexes, signature);
    const claims = certificate === undefined ? undefined : certificateClaims(instance, voteKind, certificate);
    const isValid = claims?.ok === true && (await this.#judge(claims.value)) === 'valid';
    const { pool, work: next } = settleTogether(this.#votePool(), work, isValid);
    this.#pool = pool;
    if (isValid && certificate !== undefined) {
      watch.hearCertificate(voteKind, certificate, { from: '', isVerified: true });
      if (voteKind === 'vote') post({ kind: 'quorum-certificate-received', certificate });
      else post({ kind: 'commit-certificate-received', certificate, quorumCertificate: undefined });
    }
    this.#doWork(next);
  }

  async #verifyOne(work: Extract<VoteWork, { kind: 'verify-one' }>): Promise<void> {
    const { metrics, logger } = this.#dependencies;
    const { vote } = work.vote;
    const judgement = await this.#judge([this.#setOf(work)]);
    const { pool, work: next, forgedBy, equivocation } = settleOne(this.#votePool(), work, judgement === 'valid');
    this.#pool = pool;
    if (judgement === 'invalid' && forgedBy !== undefined && forgedBy !== '') this.#bad(forgedBy, work.voteKind, 'bad-signature');
    if (equivocation !== undefined) {
      metrics.count('coppice_consensus_reports_total', { ...this.#labels(), report: `conflicting-${work.voteKind}s` });
      logger.warn({ chain: this.#dependencies.instance.chain, round: vote.point.round, validator: vote.validator }, 'conflicting votes');
    }
    this.#doWork(next);
  }

  #setOf({ vote: { vote }, voteKind }: Extract<VoteWork, { kind: 'verify-one' }>): SignatureSet {
    const { instance } = this.#dependencies;
    const claims = voteClaims(instance, voteKind, vote);
    invariant(claims.ok, 'a held vote is of a member and of this instance');
    const [set] = claims.value;
    invariant(set !== undefined, 'a vote claims one signature');
    return set;
  }

  #judge(sets: readonly SignatureSet[]): Promise<ClaimsJudgement> {
    const { claims, instance } = this.#dependencies;
    return claims.judge(sets, instance.chain);
  }

  #votePool(): VotePool {
    this.#pool ??= emptyVotePool(this.#dependencies.instance, voteBoundsOf(this.#dependencies.state()));
    return this.#pool;
  }

  // Everyone hears a message from its author, if they are neighbours: handing it on would only cost.
  #usefulUnlessNeighbour(author: ValidatorIndex): MessageOutcome {
    const name = this.#dependencies.validatorPeers[author];
    return name !== undefined && this.#dependencies.network.peers.connected().includes(name) ? 'useless' : 'useful';
  }

  #isMeshFull(): boolean {
    return this.#dependencies.network.peers.connected().length >= this.#dependencies.validatorPeers.length - 1;
  }

  #bad(from: PeerName, kind: string, reason: string): 'bad' {
    this.#refuse(from, kind, reason);
    return 'bad';
  }

  #refuse(from: PeerName, kind: string, reason: string): void {
    const { network, logger, instance } = this.#dependencies;
    this.#count(kind, reason);
    logger.debug({ chain: instance.chain, from, kind, reason }, 'message refused');
    if (from !== '') network.peers.misbehaved(from, reason, BAD_MESSAGE_WEIGHT);
  }

  /** Not taken, whoever is to blame. */
  #count(kind: string, reason: string): void {
    this.#dependencies.metrics.count('coppice_gossip_refused_total', { kind, reason });
  }

  #labels(): Readonly<Record<string, string>> {
    return { chain: String(this.#dependencies.instance.chain) };
  }
}

/** True if the bundle may tell the engine something: a higher QC, a CC of an uncommitted round, or a TC that ends the round. */
function isNews({ highestQuorumCertificate, commitCertificate, timeoutCertificate }: CertificateBundle, state: ConsensusState): boolean {
  if (state.closed !== undefined) return commitCertificate.some(({ point }) => point.height > state.committed.height);
  const highestRound = state.record.highestQuorumCertificate[0]?.point.round ?? 0;
  return (
    highestQuorumCertificate.some(({ point }) => point.round > highestRound) ||
    commitCertificate.some(({ point }) => point.round > state.committed.round) ||
    timeoutCertificate.some(({ round }) => round >= state.round)
  );
}
