// The clock of one node: it may be wrong by some milliseconds and run too fast or too slow, and it ends with the process that reads it.
import type { TimestampMs } from '../core/primitives/ids.ts';
import type { CancelTimer, Clock } from '../runtime/ports.ts';
import type { Life } from './life.ts';

/** How wrong a clock is. */
export interface ClockError {
  readonly offsetMs: number;
  /** Parts in a million by which it runs too fast. */
  readonly driftPpm: number;
}

const MILLION = 1_000_000;

/** See the file's head. */
export class NodeClock implements Clock {
  readonly #world: Clock;
  readonly #life: Life;
  readonly #error: ClockError;
  readonly #startMs: TimestampMs;

  constructor(world: Clock, life: Life, error: ClockError) {
    this.#world = world;
    this.#life = life;
    this.#error = error;
    this.#startMs = world.nowMs();
  }

  nowMs(): TimestampMs {
    const elapsedMs = this.#world.nowMs() - this.#startMs;
    return Math.floor(this.#startMs + this.#error.offsetMs + elapsedMs * (1 + this.#error.driftPpm / MILLION));
  }

  schedule(delayMs: number, callback: () => void): CancelTimer {
    const worldDelayMs = delayMs / (1 + this.#error.driftPpm / MILLION);
    return this.#world.schedule(worldDelayMs, () => {
      if (this.#life.isAlive) callback();
    });
  }
}
