// Collects votes and commit votes until they could make a certificate, and only then has them verified: all together, as the
// aggregate that the certificate will carry anyway (one pairing check instead of one for each vote). If that fails, the votes are
// verified one by one, the liars fall out, and the rest still counts.
//
// Upheld: an unverified vote never displaces another of the same validator, since anyone can send a vote in anyone's name; where two
// disagree, each is verified by itself. Bounded: of each kind and round one vote for each member, in a window of rounds.
import { bytesEqual, bytesToHex } from '../primitives/bytes.ts';
import type { Round, Seats, ValidatorIndex } from '../primitives/ids.ts';
import type { BlockPoint } from '../protocol/certificate.ts';
import { type CommitteeMember, type Instance, isQuorum } from '../protocol/committee.ts';
import type { Vote } from '../protocol/vote.ts';
import { memberIndexOf } from './certificates.ts';
import { highestRoundOf } from './record.ts';
import type { VoteKind } from './signature-sets.ts';
import type { ConsensusState } from './state.ts';

/** Votes for rounds this far above the own round are held: their sender's certificate is on the way. */
export const VOTE_ROUNDS_AHEAD_MAX = 4;
/** Votes for rounds this far below the own round are merely late; older ones tell that their sender is behind. */
export const VOTE_ROUNDS_BEHIND_MAX = 4;

/** A vote as it waits in the pool. */
export interface PooledVote {
  readonly vote: Vote;
  readonly memberIndex: number;
  /** Who handed it over, as the runner calls them: who is to blame for a forgery. */
  readonly from: string;
  readonly isVerified: boolean;
}

interface Tally {
  readonly kind: VoteKind;
  readonly round: Round;
  /** By place in the committee. */
  readonly slots: readonly (PooledVote | undefined)[];
  /** The block, by `pointKey`, whose votes are being verified together. */
  readonly checking: string | undefined;
  /** The block whose certificate was made. */
  readonly certified: string | undefined;
  /** Members whose held vote is being verified by itself: it counts again when that is settled. */
  readonly suspects: readonly number[];
  /** Members already reported for two votes. */
  readonly equivocators: readonly number[];
}

/** See the file's head. */
export interface VotePool {
  readonly instance: Instance;
  readonly bounds: VoteBounds;
  readonly tallies: ReadonlyMap<string, Tally>;
}

/** Which votes are still of use. */
export interface VoteBounds {
  readonly round: Round;
  /** Round of the highest QC: votes up to it are late. */
  readonly certifiedRound: Round;
  /** Round of the newest committed block: commit votes up to it are late. */
  readonly committedRound: Round;
  /** The instance has ended: whoever still votes has to be told. */
  readonly isClosed: boolean;
}

/** What the runner has to do next. */
export type VoteWork =
  /** Add up the signatures and verify the sum by all keys; then `settleTogether`, and if valid `certificateOf` for the engine. */
  | { readonly kind: 'verify-together'; readonly voteKind: VoteKind; readonly point: BlockPoint; readonly votes: readonly PooledVote[] }
  /** Verify this vote by itself; then `settleOne`. */
  | { readonly kind: 'verify-one'; readonly voteKind: VoteKind; readonly vote: PooledVote };

/** What became of a vote: `old-round` means that its sender is behind and should hear `old-message-seen`. */
export type VoteOutcome = 'held' | 'duplicate' | 'late' | 'old-round' | 'far-round' | 'wrong-instance' | 'not-a-member' | 'bad-signature';

/** A pool after a change, and the work that follows from it. */
export interface PoolTransition {
  readonly pool: VotePool;
  readonly work: readonly VoteWork[];
}

/** A validator that voted for two blocks of one round. */
export interface Equivocation {
  readonly validator: ValidatorIndex;
  readonly voteKind: VoteKind;
  readonly votes: readonly [Vote, Vote];
}

/** An empty pool. */
export function emptyVotePool(instance: Instance, bounds: VoteBounds): VotePool {
  return { instance, bounds, tallies: new Map() };
}

/** The bounds that the engine's state sets: give them to `advanceVotePool` when they change. */
export function voteBoundsOf(state: ConsensusState): VoteBounds {
  return {
    round: state.round,
    certifiedRound: highestRoundOf(state.record),
    committedRound: state.committed.round,
    isClosed: state.closed !== undefined,
  };
}

/** Forgets what the new bounds make useless. */
export function advanceVotePool(pool: VotePool, bounds: VoteBounds): VotePool {
  const tallies = new Map([...pool.tallies].filter(([, { kind, round }]) => placeOf(bounds, kind, round) === 'held'));
  return { ...pool, bounds, tallies };
}

/** Takes a vote; one's own is verified already. */
export function addVote(
  pool: VotePool,
  kind: VoteKind,
  vote: Vote,
  source: { readonly from: string; readonly isVerified: boolean },
): PoolTransition & { readonly outcome: VoteOutcome } {
  const refused = (outcome: VoteOutcome) => ({ pool, work: [], outcome });
  if (!bytesEqual(vote.instanceId, pool.instance.instanceId)) return refused('wrong-instance');
  const memberIndex = memberIndexOf(pool.instance.committee, vote.validator);
  if (memberIndex === undefined) return refused('not-a-member');
  const place = placeOf(pool.bounds, kind, vote.point.round);
  if (place !== 'held') return refused(place);
  const tally = tallyOf(pool, kind, vote.point.round);
  const held = tally.slots[memberIndex];
  const pooled: PooledVote = { vote, memberIndex, ...source };
  if (held === undefined) {
    if (tally.certified === pointKey(vote.point)) return refused('late');
    return { ...evaluated(pool, withSlot(tally, memberIndex, pooled), vote.point), outcome: 'held' };
  }
  return besideHeld(pool, tally, held, pooled);
}

/** The outcome of `verify-together`: the certificate is made, or the votes are verified one by one. */
export function settleTogether(pool: VotePool, work: Extract<VoteWork, { kind: 'verify-together' }>, isValid: boolean): PoolTransition {
  const { voteKind, point, votes } = work;
  const tally = pool.tallies.get(tallyKey(voteKind, point.round));
  if (tally === undefined) return { pool, work: [] };
  if (isValid) return { pool: withTally(pool, { ...tally, checking: undefined, certified: pointKey(point) }), work: [] };
  const unverified = votes.filter(({ isVerified }) => !isVerified);
  const suspects = [...new Set([...tally.suspects, ...unverified.map(({ memberIndex }) => memberIndex)])];
  return {
    pool: withTally(pool, { ...tally, checking: undefined, suspects }),
    work: unverified.map((vote): VoteWork => ({ kind: 'verify-one', voteKind, vote })),
  };
}

/** The outcome of `verify-one`. `forgedBy` handed over a forgery; an equivocation is reported once for each validator and round. */
export function settleOne(
  pool: VotePool,
  work: Extract<VoteWork, { kind: 'verify-one' }>,
  isValid: boolean,
): PoolTransition & { readonly forgedBy: string | undefined; readonly equivocation: Equivocation | undefined } {
  const { vote: pooled, voteKind } = work;
  const { vote, memberIndex, from } = pooled;
  const forgedBy = isValid ? undefined : from;
  const tally = pool.tallies.get(tallyKey(voteKind, vote.point.round));
  if (tally === undefined) return { pool, work: [], forgedBy, equivocation: undefined };
  const held = tally.slots[memberIndex];
  const isHeld = held !== undefined && isSameVote(held.vote, vote);
  if (isValid && held?.isVerified === true && !isHeld) {
    return { ...reported(pool, tally, { validator: vote.validator, voteKind, votes: [held.vote, vote] }, memberIndex), forgedBy };
  }
  const slot = isValid ? { ...pooled, isVerified: true } : isHeld && !held.isVerified ? undefined : held;
  const suspects = isValid || isHeld ? tally.suspects.filter((index) => index !== memberIndex) : tally.suspects;
  return { ...evaluated(pool, { ...withSlot(tally, memberIndex, slot), suspects }, vote.point), forgedBy, equivocation: undefined };
}

function reported(
  pool: VotePool,
  tally: Tally,
  equivocation: Equivocation,
  memberIndex: number,
): PoolTransition & { readonly equivocation: Equivocation | undefined } {
  if (tally.equivocators.includes(memberIndex)) return { pool, work: [], equivocation: undefined };
  return { pool: withTally(pool, { ...tally, equivocators: [...tally.equivocators, memberIndex] }), work: [], equivocation };
}

// A second vote of a member in the same round and kind. Signatures are unique, so an equal vote with another one is a forgery.
function besideHeld(
  pool: VotePool,
  tally: Tally,
  held: PooledVote,
  pooled: PooledVote,
): PoolTransition & { readonly outcome: VoteOutcome } {
  const { memberIndex } = pooled;
  if (isSameVote(held.vote, pooled.vote)) return { pool, work: [], outcome: 'duplicate' };
  const isSamePoint = pointKey(held.vote.point) === pointKey(pooled.vote.point);
  if (held.isVerified && isSamePoint) return { pool, work: [], outcome: 'bad-signature' };
  if (tally.equivocators.includes(memberIndex)) return { pool, work: [], outcome: 'duplicate' };
  const voteKind = tally.kind;
  const rival: VoteWork = { kind: 'verify-one', voteKind, vote: pooled };
  if (held.isVerified || tally.suspects.includes(memberIndex)) return { pool, work: [rival], outcome: 'held' };
  const next = withTally(pool, { ...tally, suspects: [...tally.suspects, memberIndex] });
  return { pool: next, work: [{ kind: 'verify-one', voteKind, vote: held }, rival], outcome: 'held' };
}

// Has the votes for the block verified together once they could be a quorum, unless that is under way or done.
function evaluated(pool: VotePool, tally: Tally, point: BlockPoint): PoolTransition {
  const key = pointKey(point);
  const isSupport = (slot: PooledVote | undefined, index: number): slot is PooledVote =>
    slot !== undefined && !tally.suspects.includes(index) && pointKey(slot.vote.point) === key;
  const votes = tally.slots.filter(isSupport);
  const isReady =
    tally.checking === undefined && tally.certified !== key && isQuorum(seatsOfVotes(pool.instance, votes), pool.instance.committee);
  if (!isReady) return { pool: withTally(pool, tally), work: [] };
  const work: VoteWork = { kind: 'verify-together', voteKind: tally.kind, point, votes };
  return { pool: withTally(pool, { ...tally, checking: key }), work: [work] };
}

function placeOf(bounds: VoteBounds, kind: VoteKind, round: Round): 'held' | 'late' | 'old-round' | 'far-round' {
  if (bounds.isClosed || round < bounds.round - VOTE_ROUNDS_BEHIND_MAX) return 'old-round';
  if (round > bounds.round + VOTE_ROUNDS_AHEAD_MAX) return 'far-round';
  const settledRound = kind === 'vote' ? bounds.certifiedRound : bounds.committedRound;
  return round <= settledRound ? 'late' : 'held';
}

function tallyOf(pool: VotePool, kind: VoteKind, round: Round): Tally {
  const known = pool.tallies.get(tallyKey(kind, round));
  if (known !== undefined) return known;
  const slots = new Array<PooledVote | undefined>(pool.instance.committee.members.length).fill(undefined);
  return { kind, round, slots, checking: undefined, certified: undefined, suspects: [], equivocators: [] };
}

function withTally(pool: VotePool, tally: Tally): VotePool {
  return { ...pool, tallies: new Map(pool.tallies).set(tallyKey(tally.kind, tally.round), tally) };
}

function withSlot(tally: Tally, memberIndex: number, vote: PooledVote | undefined): Tally {
  const slots = tally.slots.slice();
  slots[memberIndex] = vote;
  return { ...tally, slots };
}

function seatsOfVotes({ committee }: Instance, votes: readonly PooledVote[]): Seats {
  return votes.reduce((seats, { memberIndex }) => seats + (committee.members[memberIndex] as CommitteeMember).seats, 0);
}

function tallyKey(kind: VoteKind, round: Round): string {
  return `${kind}:${round}`;
}

function pointKey(point: BlockPoint): string {
  return `${point.height}:${bytesToHex(point.blockHash)}`;
}

function isSameVote(a: Vote, b: Vote): boolean {
  return pointKey(a.point) === pointKey(b.point) && bytesEqual(a.signature, b.signature);
}
