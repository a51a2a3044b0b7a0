// The timeout (protocol, section 3): when a round ends without a QC, the node says so with its highest QC, and never votes in that
// round or below, nor commit-votes in it or below, again. It joins others who gave up a round not below its own as soon as they
// have f + 1 seats, since one of them is then honest. A quorum of timeouts of one round is a TC.

import { bytesEqual } from '../primitives/bytes.ts';
import type { Round, Seats } from '../primitives/ids.ts';
import type { QuorumCertificate } from '../protocol/certificate.ts';
import { includesHonest, isQuorum } from '../protocol/committee.ts';
import type { Timeout } from '../protocol/vote.ts';
import { adoptQuorumCertificate } from './adopt.ts';
import { memberIndexOf, reportedRoundOf } from './certificates.ts';
import { requestMissing } from './commit.ts';
import type { Effect } from './effects.ts';
import type { TimeoutReceived, TimerFired } from './events.ts';
import { answerWithNewest, newestCertificates, resendTimer, startResending } from './pacemaker.ts';
import type { SigningRecord } from './record.ts';
import { type ConsensusState, sequence, type Transition, unchanged } from './state.ts';

/** A timer ran out. That of a round already left means nothing: progress came first. */
export function onTimerFired(state: ConsensusState, { timer, round }: TimerFired): Transition {
  if (round !== state.round) return unchanged(state);
  if (timer === 'resend') return sequence(state, speakAgain, requestMissing);
  return sequence(state, (current) => giveUp(current, round), startResending, requestMissing);
}

/** Upon a verified timeout. */
export function onTimeoutReceived(state: ConsensusState, { timeout, from }: TimeoutReceived): Transition {
  const [highest] = timeout.highestQuorumCertificate;
  const isOld = timeout.round < state.round;
  return sequence(
    isOld ? state : withNewest(state, timeout),
    (current) => (highest === undefined ? unchanged(current) : adoptQuorumCertificate(current, highest)),
    joinOthers,
    (current) => aggregateRound(current, timeout.round),
    (current) => (isOld && timeout.validator !== state.self ? answerWithNewest(current, from) : unchanged(current)),
  );
}

/** The promise not to vote or commit-vote in the round or below, and its announcement. */
export function giveUp(state: ConsensusState, round: Round): Transition {
  if (state.self === undefined || state.record.lastTimeoutRound >= round) return unchanged(state);
  const next: ConsensusState = { ...state, record: { ...state.record, lastTimeoutRound: round } };
  return { state: next, effects: [timeoutOf(next)] };
}

/** The highest round, not below the own, that f + 1 seats have given up or gone beyond; 0 if there is none. */
export function roundToJoin({ timeouts, round, instance }: ConsensusState): Round {
  const newestFirst = [...timeouts.values()].sort((a, b) => b.round - a.round);
  let seats: Seats = 0;
  for (const timeout of newestFirst) {
    if (timeout.round < round) return 0;
    seats += seatsOfValidator(instance.committee, timeout);
    if (includesHonest(seats, instance.committee)) return timeout.round;
  }
  return 0;
}

function joinOthers(state: ConsensusState): Transition {
  const round = roundToJoin(state);
  if (round === 0 || state.self === undefined || state.record.lastTimeoutRound >= round) return unchanged(state);
  return sequence(state, (current) => giveUp(current, round), startResending);
}

// Lost gossip costs delay, never liveness: timeout, commit vote and newest certificates are said again while a round is stuck.
function speakAgain(state: ConsensusState): Transition {
  const { record, committed, round, self } = state;
  const effects: Effect[] = [resendTimer(state)];
  if (self === undefined) return { state, effects };
  if (record.lastTimeoutRound >= round) effects.push(timeoutOf(state));
  const [highest] = record.highestQuorumCertificate;
  if (highest !== undefined && highest.point.round > committed.round && isCommitVoted(record, highest)) {
    effects.push({ kind: 'sign-and-send-commit-vote', point: highest.point });
  }
  effects.push({ kind: 'send-certificates', to: undefined, certificates: newestCertificates(state) });
  return { state, effects };
}

// By round and block: more than two thirds of dishonest seats could certify a block for another round than its own, one that the node has
// given up, and must not make it sign that.
function isCommitVoted({ lastCommitVotedRound, lastCommitVotedHash }: SigningRecord, { point }: QuorumCertificate): boolean {
  return point.round === lastCommitVotedRound && bytesEqual(point.blockHash, lastCommitVotedHash);
}

/** A quorum of timeouts of one round is handed out once for aggregation. */
function aggregateRound(state: ConsensusState, round: Round): Transition {
  const { committee } = state.instance;
  if (round < state.round || round <= state.aggregatedRound) return unchanged(state);
  const timeouts = [...state.timeouts.values()].filter((timeout) => timeout.round === round).sort((a, b) => a.validator - b.validator);
  const seats = timeouts.reduce((sum, timeout) => sum + seatsOfValidator(committee, timeout), 0);
  if (!isQuorum(seats, committee)) return unchanged(state);
  return { state: { ...state, aggregatedRound: round }, effects: [{ kind: 'aggregate-timeouts', round, timeouts }] };
}

// Of each validator only the newest counts: of a higher round, or of the same round with a higher QC.
function withNewest(state: ConsensusState, timeout: Timeout): ConsensusState {
  const held = state.timeouts.get(timeout.validator);
  const isNewer =
    held === undefined || timeout.round > held.round || (timeout.round === held.round && reportedRoundOf(timeout) > reportedRoundOf(held));
  return isNewer ? { ...state, timeouts: new Map(state.timeouts).set(timeout.validator, timeout) } : state;
}

function timeoutOf({ record }: ConsensusState): Effect {
  const [highestQuorumCertificate] = record.highestQuorumCertificate;
  return { kind: 'sign-and-send-timeout', round: record.lastTimeoutRound, highestQuorumCertificate };
}

function seatsOfValidator(committee: ConsensusState['instance']['committee'], { validator }: Timeout): Seats {
  const index = memberIndexOf(committee, validator);
  return index === undefined ? 0 : (committee.members[index]?.seats ?? 0);
}
