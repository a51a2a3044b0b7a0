// Ports of the runtime: time, randomness, logs. Adapters are in clock.ts (real) and in the simulator (virtual); protocol code gets
// what they say as arguments.
import type { TimestampMs } from '../core/primitives/ids.ts';

/** Stops a timer; calling it after the timer fired is fine. */
export type CancelTimer = () => void;

/** Time: what it is, and to be woken later. */
export interface Clock {
  nowMs(): TimestampMs;
  /** Calls back once after at least `delayMs`. */
  schedule(delayMs: number, callback: () => void): CancelTimer;
}

/** Uniform random numbers: jitter only, never anything that the chain depends on. */
export interface Random {
  /** In [0, 1). */
  next(): number;
}

/** Structured logs: facts first, then a sentence. Facts carry chain, epoch, height and round where they apply. */
export interface Logger {
  debug(facts: Readonly<Record<string, unknown>>, message: string): void;
  info(facts: Readonly<Record<string, unknown>>, message: string): void;
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/** Counts and measures by name and labels; names are listed in node/metrics.ts. */
export interface Metrics {
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void;
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
  observe(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
}
