// Answers to those who are behind, at a limited rate: whoever keeps asking costs no more than whoever asks now and then.
import type { Clock } from './ports.ts';

/** One asker gets an answer at most this often. */
const ANSWER_INTERVAL_MS = 200;
/** Askers of whom that is remembered. */
const REMEMBERED_MAX = 1_024;

/** See the file's head. */
export class AnswerLimit {
  readonly #clock: Clock;
  readonly #answeredAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True if this asker may be answered now; it counts as answered then. */
  admits(asker: string): boolean {
    const nowMs = this.#clock.nowMs();
    const lastMs = this.#answeredAtMs.get(asker);
    if (lastMs !== undefined && nowMs - lastMs < ANSWER_INTERVAL_MS) return false;
    if (this.#answeredAtMs.size >= REMEMBERED_MAX) this.#answeredAtMs.clear();
    this.#answeredAtMs.set(asker, nowMs);
    return true;
  }
}
