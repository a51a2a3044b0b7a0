// What all clients together have sent and not been answered yet, in bytes. Each request has a bound of its own, but thousands of clients
// that send slowly, or ask for what takes long, would fill the memory all the same. Small requests and large ones have a budget each.
import type { Budget, BudgetPair } from './budget.ts';

/** A request up to this size is a small one: nearly every transaction and call. */
export const SMALL_REQUEST_BYTES_MAX = 64 * 1024;

/** The budget that a request of this size comes out of. */
export function budgetOf({ small, large }: BudgetPair, bytes: number): Budget {
  return bytes > SMALL_REQUEST_BYTES_MAX ? large : small;
}

/** A frame of which some has come, on one connection; a small one is not counted before it is whole. */
export class PartialFrame {
  readonly #large: Budget;
  #received = 0;
  #taken = 0;

  constructor({ large }: BudgetPair) {
    this.#large = large;
  }

  /** More has come; false when the budget is used up. */
  add(bytes: number): boolean {
    this.#received += bytes;
    if (this.#received <= SMALL_REQUEST_BYTES_MAX) return true;
    const more = this.#received - this.#taken;
    if (!this.#large.take(more)) return false;
    this.#taken += more;
    return true;
  }

  /** The frame is whole, or will never be. */
  end(): void {
    this.#large.give(this.#taken);
    this.#taken = 0;
    this.#received = 0;
  }
}
