// Time and chance as the network needs them. Both are handed in, so that back-off, limits and deadlines run in virtual time in
// tests, and real time is touched by the runtime's clock alone.

/** Withdraws a timer; without effect once it has fired. */
export type CancelTimer = () => void;

/** Calls back once after the delay. */
export type Schedule = (delayMs: number, callback: () => void) => CancelTimer;

/** A clock that never goes back, and its timers. */
export interface Timing {
  nowMs(): number;
  readonly schedule: Schedule;
}

/** A fraction of at least 0 and below 1; spreads retries, decides nothing. */
export type RandomFraction = () => number;
