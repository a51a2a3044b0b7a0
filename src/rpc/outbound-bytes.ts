// What all clients together have been answered and not taken yet, in bytes. An answer has a bound of its own, but thousands of clients that
// ask for much and read nothing would fill the memory all the same. Every answer's first bytes have a budget of their own: whoever leaves
// large answers lying does not keep wallets from small ones.
import type { BudgetPair } from './budget.ts';

/** Of each answer so much counts as small: nearly every answer as a whole. */
const SMALL_ANSWER_BYTES = 16 * 1024;

/** What one answer takes, from when its parts are made until the client has it or is gone. */
export class AnswerBytes {
  readonly #outbound: BudgetPair;
  #small = 0;
  #large = 0;

  constructor(outbound: BudgetPair) {
    this.#outbound = outbound;
  }

  /** Whether a large answer may have room: false from when one had none until a client takes some. */
  get mayHaveRoom(): boolean {
    return !this.#outbound.large.isShort;
  }

  /** More of the answer is there; false, and nothing is taken, when not so much is left. */
  add(bytes: number): boolean {
    const small = Math.min(bytes, SMALL_ANSWER_BYTES - this.#small);
    const { small: smallBudget, large: largeBudget } = this.#outbound;
    if (!smallBudget.take(small)) return false;
    if (!largeBudget.take(bytes - small)) {
      smallBudget.give(small);
      return false;
    }
    this.#small += small;
    this.#large += bytes - small;
    return true;
  }

  /** Gives everything back. */
  release(): void {
    this.#outbound.small.give(this.#small);
    this.#outbound.large.give(this.#large);
    this.#small = 0;
    this.#large = 0;
  }
}
