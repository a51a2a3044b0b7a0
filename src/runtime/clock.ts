// The only place that touches real time and real randomness.
import type { Clock, Random } from './ports.ts';

/** The machine's clock and timers. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Randomness for jitter. */
export const systemRandom: Random = { next: () => Math.random() };
