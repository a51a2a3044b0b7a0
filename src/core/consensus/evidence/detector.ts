// Remembers what validators said in recent rounds, and finds what contradicts it. It hears everything, verified or not, and verifies
// nothing: comparing costs a look-up, and only where two things contradict each other does it name the signatures in doubt.
//
// Upheld: what was not verified never makes evidence, since anyone can say anything in anyone's name, and never displaces what was.
// Bounded: a window of rounds; of each kind and round one vote, timeout and proposal for each member and a few certificates. A vote that a
// verified certificate of its round covers is not kept beside it, so that a round that went well takes two certificates.
import { bytesEqual, bytesToHex } from '../../primitives/bytes.ts';
import type { Bytes32, Hex, Round, ValidatorIndex } from '../../primitives/ids.ts';
import type { BlockHeader } from '../../protocol/block.ts';
import { type QuorumCertificate, SCHEME_BLS } from '../../protocol/certificate.ts';
import type { Instance } from '../../protocol/committee.ts';
import type { VoteKind } from '../signature-sets.ts';
import { type Evidence, isOtherPoint, type ProposalWitness, proposalPairOf, type TimeoutVotes, votePairOf } from './evidence.ts';
import { roundBranchOf } from './round-branch.ts';

/** Which rounds count, seen from the own one. */
export interface RoundWindow {
  readonly behind: number;
  readonly ahead: number;
  /** Of votes and proposals, which anyone can forge, fewer than of certificates and timeouts. */
  readonly votesAhead: number;
}

/** What a node remembers while it runs; ahead, enough for one that was away. */
export const LIVE_WINDOW: RoundWindow = { behind: 64, ahead: 64, votesAhead: 4 };
/** Certificates of one kind and round that are kept: each adds a signer. */
const CERTIFICATES_MAX = 4;
/** Headers that nobody may vote for which are kept to compare votes with. */
const REFUSED_HEADERS_MAX = 16;

/** One vote, or the many of a certificate, as it was heard. */
export interface VoteWord {
  readonly kind: VoteKind;
  readonly votes: QuorumCertificate;
  readonly isVerified: boolean;
}

/** A proposal as it was heard. */
export interface ProposalWord {
  readonly header: BlockHeader;
  readonly hash: Bytes32;
  readonly signature: Uint8Array;
  readonly isVerified: boolean;
}

/** Things that contradict each other, if those in doubt were said indeed. */
export interface Suspicion {
  /** Undefined where two signatures are given for one vote: one of them is forged, and should not keep its place. */
  readonly evidence: Evidence | undefined;
  /** Votes that nobody has verified by themselves: to be verified, and told to `settle`. */
  readonly doubts: readonly VoteWord[];
}

interface Tally {
  certificates: readonly VoteWord[];
  /** By place in the committee. */
  readonly singles: Map<number, VoteWord>;
}

/** The branch that stands in evidence is made when there is some: it hashes the whole header. */
interface KeptProposal {
  readonly hash: Bytes32;
  readonly header: BlockHeader;
  readonly signature: Uint8Array;
}

interface RoundWords {
  readonly vote: Tally;
  readonly 'commit-vote': Tally;
  readonly proposals: Map<ValidatorIndex, KeptProposal>;
}

interface RoundTimeouts {
  aggregates: readonly TimeoutVotes[];
  /** By place in the committee: of each member the one with the lowest report, which contradicts most. */
  readonly singles: Map<number, TimeoutVotes>;
}

/** See the file's head. */
export class EvidenceDetector {
  readonly #instance: Instance;
  readonly #window: RoundWindow;
  readonly #rounds = new Map<Round, RoundWords>();
  readonly #timeouts = new Map<Round, RoundTimeouts>();
  readonly #refused = new Map<Hex, BlockHeader>();
  #round: Round = 1;

  constructor(instance: Instance, window: RoundWindow) {
    this.#instance = instance;
    this.#window = window;
  }

  /** The engine is in this round: what is too old for it is forgotten. */
  advance(round: Round): void {
    this.#round = Math.max(this.#round, round);
    const lowest = this.#round - this.#window.behind;
    for (const words of [this.#rounds, this.#timeouts]) for (const known of words.keys()) if (known < lowest) words.delete(known);
  }

  /** A vote, commit vote, QC or CC. */
  hearVotes(word: VoteWord): readonly Suspicion[] {
    const { kind, votes } = word;
    const members = votes.signers.getTrueBitIndexes();
    const isSingle = members.length === 1;
    const { round } = votes.point;
    if (
      !this.#isOfCommittee(votes) ||
      members.length === 0 ||
      !this.#isNear(round, isSingle ? this.#window.votesAhead : this.#window.ahead)
    )
      return [];
    const tally = this.#wordsOf(round)[kind];
    const suspicions = [
      ...this.#besideVotes(tally, word, members),
      ...(kind === 'commit-vote' ? this.#besideTimeouts(word) : this.#besideRefused(word)),
    ];
    // What contradicts something is kept once it is verified: forgeries must not fill the memory with what is in doubt.
    if (suspicions.length === 0 || word.isVerified) remember(tally, word, members);
    return suspicions;
  }

  /** Verified timeouts, one or many. */
  hearTimeouts(timeouts: TimeoutVotes): readonly Suspicion[] {
    const { round, signers, highestQuorumCertificateRounds: reported } = timeouts;
    const members = signers.getTrueBitIndexes();
    if (!this.#isOfCommittee(timeouts) || reported.length !== members.length || !this.#isNear(round, this.#window.ahead)) return [];
    const lowest = Math.min(...reported);
    const suspicions: Suspicion[] = [];
    for (const [votedRound, words] of this.#rounds) {
      if (votedRound > round || votedRound <= lowest) continue;
      for (const word of wordsBy(words['commit-vote'], members))
        if (isBroken(word.votes, timeouts)) suspicions.push(this.#brokenTimeout(word, timeouts));
    }
    this.#rememberTimeouts(timeouts, members);
    return suspicions;
  }

  /** A proposal: one that is not verified is compared, and not kept. */
  hearProposal({ header, hash, signature, isVerified }: ProposalWord): readonly Suspicion[] {
    const { round, proposer: validator } = header;
    if (!this.#isNear(round, this.#window.votesAhead)) return [];
    const { proposals } = this.#wordsOf(round);
    const kept = proposals.get(validator);
    if (kept !== undefined && bytesEqual(kept.hash, hash)) return [];
    if (kept === undefined && !isVerified) return [];
    if (kept === undefined) {
      proposals.set(validator, { hash, header, signature });
      return [];
    }
    const [first, second] = [witnessOf(kept), witnessOf({ hash, header, signature })];
    return [{ evidence: proposalPairOf(this.#instance.instanceId, { validator, round }, first, second), doubts: [] }];
  }

  /** True if a proposal of the header's proposer and round is remembered. */
  knowsProposal({ round, proposer }: BlockHeader): boolean {
    return this.#rounds.get(round)?.proposals.has(proposer) === true;
  }

  /** A header that is wrong on its face, or has a certificate that does not verify: nobody may vote for it. */
  hearRefusedHeader(hash: Bytes32, header: BlockHeader): readonly Suspicion[] {
    const [oldest] = this.#refused.keys();
    if (this.#refused.size >= REFUSED_HEADERS_MAX && oldest !== undefined) this.#refused.delete(oldest);
    this.#refused.set(bytesToHex(hash), header);
    const tally = this.#rounds.get(header.round)?.vote;
    if (tally === undefined) return [];
    const words = [...tally.certificates, ...tally.singles.values()];
    return words.filter(({ votes }) => bytesEqual(votes.point.blockHash, hash)).map((word) => this.#againstRules(word, header));
  }

  /** What became of a vote in doubt: a forged one gives its place up, a good one takes the place that is free. */
  settle(word: VoteWord, isValid: boolean): void {
    const { kind, votes } = word;
    const members = votes.signers.getTrueBitIndexes();
    const tally = this.#rounds.get(votes.point.round)?.[kind];
    if (tally === undefined) return;
    if (isValid) return remember(tally, { ...word, isVerified: true }, members);
    const [member] = members;
    if (member !== undefined && members.length === 1 && tally.singles.get(member)?.votes === votes) tally.singles.delete(member);
  }

  /** Words that are remembered: for tests and bounds. */
  get size(): number {
    let words = this.#refused.size;
    for (const { vote, 'commit-vote': commit, proposals } of this.#rounds.values())
      words += vote.certificates.length + vote.singles.size + commit.certificates.length + commit.singles.size + proposals.size;
    for (const { aggregates, singles } of this.#timeouts.values()) words += aggregates.length + singles.size;
    return words;
  }

  // Nobody has looked at what is not verified: a bitmap of another length names members that do not exist.
  #isOfCommittee({ signers, scheme }: Pick<QuorumCertificate, 'signers' | 'scheme'>): boolean {
    return scheme === SCHEME_BLS && signers.bitLen === this.#instance.committee.members.length;
  }

  #isNear(round: Round, ahead: number): boolean {
    return round >= 1 && round >= this.#round - this.#window.behind && round <= this.#round + ahead;
  }

  #besideVotes(tally: Tally, word: VoteWord, members: readonly number[]): Suspicion[] {
    const suspicions: Suspicion[] = [];
    for (const held of wordsBy(tally, members)) {
      const doubts = doubtsOf(held, word);
      if (isOtherPoint(held.votes.point, word.votes.point)) {
        const kind = word.kind === 'vote' ? 'conflicting-votes' : 'conflicting-commit-votes';
        suspicions.push({ evidence: votePairOf(kind, this.#instance.instanceId, held.votes, word.votes), doubts });
      } else if (isSameSignerOtherSignature(held, word, members)) suspicions.push({ evidence: undefined, doubts });
    }
    return suspicions;
  }

  #besideTimeouts(word: VoteWord): Suspicion[] {
    const { round } = word.votes.point;
    const suspicions: Suspicion[] = [];
    for (const [timeoutRound, { aggregates, singles }] of this.#timeouts) {
      if (timeoutRound < round) continue;
      for (const timeouts of [...aggregates, ...singles.values()])
        if (isBroken(word.votes, timeouts)) suspicions.push(this.#brokenTimeout(word, timeouts));
    }
    return suspicions;
  }

  #besideRefused(word: VoteWord): Suspicion[] {
    if (this.#refused.size === 0) return [];
    const header = this.#refused.get(bytesToHex(word.votes.point.blockHash));
    return header === undefined ? [] : [this.#againstRules(word, header)];
  }

  #brokenTimeout(word: VoteWord, timeouts: TimeoutVotes): Suspicion {
    const { instanceId } = this.#instance;
    return { evidence: { kind: 'broken-timeout', instanceId, commitVotes: word.votes, timeouts }, doubts: doubtsOf(word) };
  }

  #againstRules(word: VoteWord, header: BlockHeader): Suspicion {
    const { instanceId } = this.#instance;
    return { evidence: { kind: 'vote-against-rules', instanceId, votes: word.votes, header }, doubts: doubtsOf(word) };
  }

  #rememberTimeouts(timeouts: TimeoutVotes, members: readonly number[]): void {
    const { round, highestQuorumCertificateRounds: reported } = timeouts;
    const known = this.#timeouts.get(round) ?? { aggregates: [], singles: new Map() };
    this.#timeouts.set(round, known);
    const [member] = members;
    if (members.length > 1) {
      const isNews = members.some((each) => !known.aggregates.some(({ signers }) => signers.get(each)));
      if (isNews && known.aggregates.length < CERTIFICATES_MAX) known.aggregates = [...known.aggregates, timeouts];
    } else if (member !== undefined) {
      const held = known.singles.get(member)?.highestQuorumCertificateRounds[0];
      if (held === undefined || held > (reported[0] as number)) known.singles.set(member, timeouts);
    }
  }

  #wordsOf(round: Round): RoundWords {
    const known = this.#rounds.get(round);
    if (known !== undefined) return known;
    const words: RoundWords = { vote: emptyTally(), 'commit-vote': emptyTally(), proposals: new Map() };
    this.#rounds.set(round, words);
    return words;
  }
}

function witnessOf({ header, signature }: KeptProposal): ProposalWitness {
  return { branch: roundBranchOf(header), signature };
}

function emptyTally(): Tally {
  return { certificates: [], singles: new Map() };
}

// The first verified vote of a member stays; one that is not verified gives way to one that is.
function remember(tally: Tally, word: VoteWord, members: readonly number[]): void {
  const { votes, isVerified } = word;
  const [member] = members;
  const covers = (certificate: VoteWord, index: number): boolean =>
    certificate.votes.signers.get(index) && !isOtherPoint(certificate.votes.point, votes.point);
  if (members.length === 1 && member !== undefined) {
    if (tally.certificates.some((certificate) => covers(certificate, member))) return;
    const held = tally.singles.get(member);
    if (held === undefined || (isVerified && !held.isVerified)) tally.singles.set(member, word);
    return;
  }
  if (!isVerified || tally.certificates.length >= CERTIFICATES_MAX) return;
  if (members.every((index) => tally.certificates.some((certificate) => covers(certificate, index)))) return;
  tally.certificates = [...tally.certificates, word];
  for (const index of members) {
    const single = tally.singles.get(index);
    if (single !== undefined && covers(word, index) && !isOtherPoint(single.votes.point, votes.point)) tally.singles.delete(index);
  }
}

function wordsBy({ certificates, singles }: Tally, members: readonly number[]): VoteWord[] {
  const words = certificates.filter(({ votes }) => members.some((index) => votes.signers.get(index)));
  for (const index of members) {
    const single = singles.get(index);
    if (single !== undefined) words.push(single);
  }
  return words;
}

// Signatures are unique, so of two for one vote one is forged; it must not be the one that is kept.
function isSameSignerOtherSignature(held: VoteWord, word: VoteWord, members: readonly number[]): boolean {
  const isBetweenVotes = members.length === 1 && held.votes.signers.getTrueBitIndexes().length === 1;
  return isBetweenVotes && !held.isVerified && !word.isVerified && !bytesEqual(held.votes.signature, word.votes.signature);
}

function isBroken({ point, signers }: QuorumCertificate, timeouts: TimeoutVotes): boolean {
  if (timeouts.round < point.round) return false;
  const places = timeouts.signers.getTrueBitIndexes();
  return places.some((index, place) => signers.get(index) && (timeouts.highestQuorumCertificateRounds[place] as number) < point.round);
}

function doubtsOf(...words: readonly VoteWord[]): readonly VoteWord[] {
  return words.filter(({ isVerified }) => !isVerified);
}
