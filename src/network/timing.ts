// Time and chance as the network needs them. Both are handed in, so that back-off, limits and deadlines run in virtual time in
// tests, and real time is touched by the runtime's clock alone.

/** Withdraws a timer; without effect once it has fired. */
export type CancelTimer = () => void;

/** Calls back once after the delay. */
export type Schedule = (delayMs: number, callback: () => void) => CancelTimer;

/** A clock and its timers. */
export interface Timing {
  nowMs(): number;
  readonly schedule: Schedule;
}

/** A fraction of at least 0 and below 1; spreads retries, decides nothing. */
export type RandomFraction = () => number;

/** The same timers with a clock that stands still where the given one (a wall clock that is set) goes back. */
export function steadyTiming(timing: Timing): Timing {
  let offsetMs = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    nowMs() {
      const nowMs = timing.nowMs() + offsetMs;
      if (nowMs < lastMs) offsetMs += lastMs - nowMs;
      else lastMs = nowMs;
      return lastMs;
    },
    schedule: (delayMs, callback) => timing.schedule(delayMs, callback),
  };
}
