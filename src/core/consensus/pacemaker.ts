// Rounds and their timers. A node enters round r + 1 on a QC or a TC of round r, and by nothing else. Timers grow with consecutive
// failures up to a cap and shrink back, one step a QC, on progress: falling back at once would make every round fail again on a
// network that is slower than the base timer. The idle wait is added, since a leader without transactions waits that long.
import type { Round } from '../primitives/ids.ts';
import type { TimeoutCertificate } from '../protocol/certificate.ts';
import { requestMissing } from './commit.ts';
import type { NewestCertificates, SetTimer } from './effects.ts';
import { lead } from './proposal.ts';
import { type ConsensusParameters, type ConsensusState, sequence, type Transition } from './state.ts';

/** How long a round may last: base × growth ^ failures, at most the cap, plus the idle wait. Whole milliseconds. */
export function roundTimerMs(parameters: ConsensusParameters, consecutiveFailures: number): number {
  const { roundTimeoutMs, roundTimeoutMsMax, roundTimeoutGrowthPercent, idleIntervalMs } = parameters;
  let timeoutMs = roundTimeoutMs;
  for (let i = 0; i < consecutiveFailures && timeoutMs < roundTimeoutMsMax; i++) {
    timeoutMs = Math.floor((timeoutMs * roundTimeoutGrowthPercent) / 100);
  }
  return Math.min(timeoutMs, roundTimeoutMsMax) + idleIntervalMs;
}

/** Enters a round, on a QC of the one before or on the given TC of it. */
export function enterRound(state: ConsensusState, round: Round, timeoutCertificate: TimeoutCertificate | undefined): Transition {
  const consecutiveFailures = failuresAfter(state, timeoutCertificate !== undefined);
  const timeouts = new Map([...state.timeouts].filter(([, timeout]) => timeout.round >= round));
  const record = timeoutCertificate === undefined ? state.record : { ...state.record, timeoutCertificate: [timeoutCertificate] };
  const by = timeoutCertificate === undefined ? 'quorum-certificate' : 'timeout-certificate';
  const next: ConsensusState = { ...state, round, consecutiveFailures, timeouts, record };
  return sequence(next, (current) => ({ state: current, effects: [{ kind: 'round-entered', round, by }] }), startTimer, lead);
}

/** The first event, also of a restarted engine: resumes the round that the record admits to. */
export function startRound(state: ConsensusState): Transition {
  return sequence(state, startTimer, lead, requestMissing);
}

/** A node that sees a message of an old round answers with its newest certificates. */
export function answerWithNewest(state: ConsensusState, from: string): Transition {
  return { state, effects: [{ kind: 'send-certificates', to: from, certificates: newestCertificates(state) }] };
}

/** The highest QC, the newest CC with its QC, and the TC that admitted the node to its round. */
export function newestCertificates({ record, commitProof }: ConsensusState): NewestCertificates {
  const [highestQuorumCertificate] = record.highestQuorumCertificate;
  const [timeoutCertificate] = record.timeoutCertificate;
  return { highestQuorumCertificate, commitProof, timeoutCertificate };
}

/** Says the timeout again after a while, unless that timer runs already in this round. */
export function startResending(state: ConsensusState): Transition {
  if (state.resendingRound === state.round) return { state, effects: [] };
  return { state: { ...state, resendingRound: state.round }, effects: [resendTimer(state)] };
}

/** The timer after which a stuck round is spoken of again. */
export function resendTimer({ round, parameters }: ConsensusState): SetTimer {
  return { kind: 'set-timer', timer: 'resend', round, delayMs: parameters.resendIntervalMs };
}

// Failures at the cap are not counted: progress would have to make up for each of them before the timer shrinks at all.
function failuresAfter({ parameters, consecutiveFailures }: ConsensusState, hasFailed: boolean): number {
  if (!hasFailed) return Math.max(0, consecutiveFailures - 1);
  const isAtCap = roundTimerMs(parameters, consecutiveFailures) >= parameters.roundTimeoutMsMax + parameters.idleIntervalMs;
  return isAtCap ? consecutiveFailures : consecutiveFailures + 1;
}

// A round that the node gave up before it came there has no timer: there is nothing to give up, only to say again.
function startTimer(state: ConsensusState): Transition {
  if (state.record.lastTimeoutRound >= state.round) return startResending(state);
  const delayMs = roundTimerMs(state.parameters, state.consecutiveFailures);
  return { state, effects: [{ kind: 'set-timer', timer: 'round', round: state.round, delayMs }] };
}
