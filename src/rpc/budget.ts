// A budget: what many may hold of one thing together.

/** So many units, to be taken and given back. */
export class Budget {
  readonly #max: number;
  #taken = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** What is held now. */
  get taken(): number {
    return this.#taken;
  }

  /** False, and nothing is taken, when not so much is left. */
  take(count: number): boolean {
    if (this.#taken + count > this.#max) return false;
    this.#taken += count;
    return true;
  }

  /** Gives back what was taken. */
  give(count: number): void {
    this.#taken -= count;
  }
}
