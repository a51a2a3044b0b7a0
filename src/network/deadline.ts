// When to give up on an exchange: a total time, a time without progress, and the caller's own wish, joined in one AbortSignal.
import type { CancelTimer, Timing } from './timing.ts';

/** Why an exchange was given up. */
export type GivenUp = 'timeout' | 'idle' | 'aborted';

/** The reason that a deadline's signal carries. */
export class GivenUpError extends Error {
  override readonly name = 'GivenUpError';
  override readonly cause: GivenUp;

  constructor(cause: GivenUp) {
    super(cause);
    this.cause = cause;
  }
}

/** Owns the timers of one exchange; call `end` on every way out. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timing: Timing;
  readonly #idleMs: number;
  readonly #cancelTotal: CancelTimer;
  readonly #outer: AbortSignal | undefined;
  readonly #onOuterAbort = () => this.#giveUp('aborted');
  #cancelIdle: CancelTimer;
  #progressAtMs: number;

  constructor(timing: Timing, totalMs: number, idleMs: number, outer?: AbortSignal) {
    this.#timing = timing;
    this.#idleMs = idleMs;
    this.#outer = outer;
    this.#progressAtMs = timing.nowMs();
    this.#cancelTotal = timing.schedule(totalMs, () => this.#giveUp('timeout'));
    this.#cancelIdle = timing.schedule(idleMs, () => this.#checkIdle());
    outer?.addEventListener('abort', this.#onOuterAbort, { once: true });
    if (outer?.aborted === true) this.#giveUp('aborted');
  }

  /** Aborts with a `GivenUpError` when it is over. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something moved: the idle time starts again. */
  progress(): void {
    this.#progressAtMs = this.#timing.nowMs();
  }

  /** Stops the timers; the signal stays as it is. */
  end(): void {
    this.#cancelTotal();
    this.#cancelIdle();
    this.#outer?.removeEventListener('abort', this.#onOuterAbort);
  }

  /** One timer that re-arms for the rest, rather than a new one at every frame. */
  #checkIdle(): void {
    const leftMs = this.#progressAtMs + this.#idleMs - this.#timing.nowMs();
    if (leftMs <= 0) this.#giveUp('idle');
    else this.#cancelIdle = this.#timing.schedule(leftMs, () => this.#checkIdle());
  }

  #giveUp(cause: GivenUp): void {
    this.end();
    this.#controller.abort(new GivenUpError(cause));
  }
}
