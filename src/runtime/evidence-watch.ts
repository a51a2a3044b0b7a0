// The ear of a node for contradictions: hands what the intake hears to the detector, and has verified what the detector suspects. While
// nobody contradicts himself it verifies nothing. What one peer can make it verify in one round is bounded, since a forgery costs its
// maker nothing; nobody is blamed for one here, because an honest peer hands on whole frames.

import { certificateOf, memberIndexOf, reportedRoundOf, signerBitsOf } from '../core/consensus/certificates.ts';
import { accusationOf, votesClaim } from '../core/consensus/evidence/accusation.ts';
import { EvidenceDetector, LIVE_WINDOW, type Suspicion, type VoteWord } from '../core/consensus/evidence/detector.ts';
import type { VoteKind } from '../core/consensus/signature-sets.ts';
import type { Bytes32, Round } from '../core/primitives/ids.ts';
import { type BlockHeader, blockHashOf } from '../core/protocol/block.ts';
import { type QuorumCertificate, SCHEME_BLS, type TimeoutCertificate } from '../core/protocol/certificate.ts';
import type { Instance } from '../core/protocol/committee.ts';
import type { CertificateBundle, Proposal, Timeout, Vote } from '../core/protocol/vote.ts';
import type { PeerName } from '../network/ports.ts';
import type { EvidenceKeeper } from './evidence-keeper.ts';
import type { VerifiedClaims } from './verified-claims.ts';

/** Suspicions that one peer may have looked into in one round. */
const CHECKS_OF_PEER_MAX = 16;
/** Peers whose suspicions are counted; more than a committee has neighbours. */
const PEERS_MAX = 1024;

/** How sure a node is of what it heard. */
export interface Heard {
  /** Who handed it over; empty for what the node made itself. */
  readonly from: PeerName;
  readonly isVerified: boolean;
}

/** What the watch needs of its chain. */
export interface EvidenceWatchDependencies {
  readonly instance: Instance;
  readonly claims: VerifiedClaims;
  readonly keeper: EvidenceKeeper;
  readonly onFault: (fault: unknown) => void;
}

/** See the file's head. */
export class EvidenceWatch {
  readonly #dependencies: EvidenceWatchDependencies;
  readonly #detector: EvidenceDetector;
  readonly #checksOf = new Map<PeerName, number>();

  constructor(dependencies: EvidenceWatchDependencies) {
    this.#dependencies = dependencies;
    this.#detector = new EvidenceDetector(dependencies.instance, LIVE_WINDOW);
  }

  /** The engine is in a new round. */
  enterRound(round: Round): void {
    this.#detector.advance(round);
    this.#checksOf.clear();
  }

  hearVote(kind: VoteKind, { validator, point, signature }: Vote, heard: Heard): void {
    const { committee } = this.#dependencies.instance;
    const memberIndex = memberIndexOf(committee, validator);
    if (memberIndex === undefined) return;
    this.hearCertificate(kind, certificateOf(committee, point, [memberIndex], signature), heard);
  }

  hearCertificate(kind: VoteKind, votes: QuorumCertificate, { from, isVerified }: Heard): void {
    this.#lookInto(this.#detector.hearVotes({ kind, votes, isVerified }), from);
  }

  /** A verified timeout, with the QC that it carries. */
  hearTimeout({ round, validator, signature, ...timeout }: Timeout, from: PeerName): void {
    const { committee } = this.#dependencies.instance;
    const memberIndex = memberIndexOf(committee, validator);
    if (memberIndex === undefined) return;
    const highestQuorumCertificateRounds = [reportedRoundOf({ round, validator, signature, ...timeout })];
    const signers = signerBitsOf(committee, [memberIndex]);
    this.#lookInto(this.#detector.hearTimeouts({ round, scheme: SCHEME_BLS, signers, highestQuorumCertificateRounds, signature }), from);
    for (const certificate of timeout.highestQuorumCertificate) this.hearCertificate('vote', certificate, { from, isVerified: true });
  }

  /** Certificates, which count less where nobody verified them: they are compared and not kept. */
  hearBundle(bundle: CertificateBundle, heard: Heard): void {
    for (const certificate of [...bundle.highestQuorumCertificate, ...bundle.commitQuorumCertificate])
      this.hearCertificate('vote', certificate, heard);
    for (const certificate of bundle.commitCertificate) this.hearCertificate('commit-vote', certificate, heard);
    for (const certificate of bundle.timeoutCertificate) this.#hearTimeoutCertificate(certificate, heard);
  }

  #hearHeader({ justify, timeoutCertificate }: BlockHeader, heard: Heard): void {
    for (const certificate of justify) this.hearCertificate('vote', certificate, heard);
    for (const certificate of timeoutCertificate) this.#hearTimeoutCertificate(certificate, heard);
  }

  hearProposal({ header, signature }: Proposal, hash: Bytes32, { from, isVerified }: Heard): void {
    this.#hearHeader(header, { from, isVerified });
    this.#lookInto(this.#detector.hearProposal({ header, hash, signature, isVerified }), from);
  }

  /** A proposal that is of no use any more, and was not looked at. Hashing it is worth it only where there is another to compare it with. */
  hearLateProposal(proposal: Proposal, from: PeerName): void {
    const { header } = proposal;
    if (this.#detector.knowsProposal(header)) this.hearProposal(proposal, blockHashOf(header), { from, isVerified: false });
    else this.#hearHeader(header, { from, isVerified: false });
  }

  /** A proposal was refused: whoever votes for it nevertheless is guilty, where the header is to blame. */
  hearRefusedHeader(hash: Bytes32, header: BlockHeader, from: PeerName): void {
    this.#lookInto(this.#detector.hearRefusedHeader(hash, header), from);
  }

  // An unverified TC could not be told from a forged one by its parts.
  #hearTimeoutCertificate({ highestQuorumCertificate, ...timeouts }: TimeoutCertificate, { from, isVerified }: Heard): void {
    for (const certificate of highestQuorumCertificate) this.hearCertificate('vote', certificate, { from, isVerified });
    if (isVerified) this.#lookInto(this.#detector.hearTimeouts(timeouts), from);
  }

  #lookInto(suspicions: readonly Suspicion[], from: PeerName): void {
    for (const suspicion of suspicions) {
      if (this.#isKnown(suspicion) || !this.#mayCheck(from)) continue;
      this.#check(suspicion).catch(this.#dependencies.onFault);
    }
  }

  #isKnown({ evidence }: Suspicion): boolean {
    if (evidence === undefined) return false;
    const { instance, keeper } = this.#dependencies;
    const accused = accusationOf(instance, evidence);
    return !accused.ok || keeper.isKnown(evidence.kind, accused.value.guilty);
  }

  #mayCheck(from: PeerName): boolean {
    const checks = this.#checksOf.get(from) ?? 0;
    if (checks >= CHECKS_OF_PEER_MAX || (checks === 0 && this.#checksOf.size >= PEERS_MAX)) return false;
    this.#checksOf.set(from, checks + 1);
    return true;
  }

  // What is in doubt is verified by itself: of what was verified in a sum nobody knows which part was good.
  async #check({ evidence, doubts }: Suspicion): Promise<void> {
    const isGood = await Promise.all(doubts.map((word) => this.#settle(word)));
    if (evidence !== undefined && isGood.every(Boolean)) await this.#dependencies.keeper.report(evidence);
  }

  async #settle(word: VoteWord): Promise<boolean> {
    const { instance, claims } = this.#dependencies;
    const judgement = await claims.judge([votesClaim(instance, word.kind, word.votes)], instance.chain);
    if (judgement !== 'not-looked-at') this.#detector.settle(word, judgement === 'valid');
    return judgement === 'valid';
  }
}
