// A budget: what many may hold of one thing together.

/** So many units, to be taken and given back. */
export class Budget {
  readonly #max: number;
  #taken = 0;
  #isShort = false;

  constructor(max: number) {
    this.#max = max;
  }

  /** What is held now. */
  get taken(): number {
    return this.#taken;
  }

  /** Somebody wanted more than is left, and nothing was given back since. Never while nothing is held. */
  get isShort(): boolean {
    return this.#isShort && this.#taken > 0;
  }

  /** False, and nothing is taken, when not so much is left. */
  take(count: number): boolean {
    if (this.#taken + count > this.#max) {
      this.#isShort = true;
      return false;
    }
    this.#taken += count;
    return true;
  }

  /** Gives back what was taken. */
  give(count: number): void {
    this.#taken -= count;
    if (count > 0) this.#isShort = false;
  }
}

/** One budget for what is small and one for what is large: whoever uses up the large one does not keep others from small things. */
export interface BudgetPair {
  readonly small: Budget;
  readonly large: Budget;
}

/** Two budgets of so many units each. */
export function createBudgetPair(max: number): BudgetPair {
  return { small: new Budget(max), large: new Budget(max) };
}
