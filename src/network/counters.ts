// Counters by label, for metrics. Labels are our own constants; the bound is for the day somebody passes foreign text as one.

const LABELS_MAX = 64;

/** Event counts by label. */
export class LabelledCounters {
  readonly #counts = new Map<string, number>();

  /** Adds to a label's count; above the bound of labels it goes to `other`. */
  add(label: string, amount = 1): void {
    const key = this.#counts.has(label) || this.#counts.size < LABELS_MAX ? label : 'other';
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + amount);
  }

  /** A copy, by label in alphabetical order. */
  snapshot(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
