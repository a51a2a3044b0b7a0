// What waits to be verified, by whose it is. Each has a bound of its own, and they take turns: whoever floods one chain with claims fills the bound of that one,
// and makes the others wait for one batch, not for all of the flood.
import type { ChainId } from '../core/primitives/ids.ts';

/** Whose claims: a chain's consensus and evidence, or what belongs to no chain alone. What others send makes no new ones: a node has its chains. */
export type ClaimsOf = ChainId | 'crosslinks' | 'addresses';

/** Something that waits. */
export interface WeighedJob {
  /** Pairings. */
  readonly weight: number;
}

/** Pairings that may wait of each: 0.8 s of a thread. */
export const WAITING_WEIGHT_MAX = 4_096;

interface Line<Job> {
  waiting: { readonly job: Job; readonly arrival: number }[];
  weight: number;
}

/** See the file's head. */
export class ClaimsQueue<Job extends WeighedJob> {
  /** Of whom something waits. The first is first in the next batch. */
  readonly #lines = new Map<ClaimsOf, Line<Job>>();
  #weight = 0;
  #arrivals = 0;

  get isEmpty(): boolean {
    return this.#lines.size === 0;
  }

  /** Pairings that wait of one. */
  weightOf(of: ClaimsOf): number {
    return this.#lines.get(of)?.weight ?? 0;
  }

  /** False where too much of that one waits already; a single job may exceed the bound. */
  add(of: ClaimsOf, job: Job): boolean {
    const line = this.#lines.get(of) ?? { waiting: [], weight: 0 };
    if (line.waiting.length > 0 && line.weight + job.weight > WAITING_WEIGHT_MAX) return false;
    line.waiting.push({ job, arrival: this.#arrivals++ });
    line.weight += job.weight;
    this.#weight += job.weight;
    this.#lines.set(of, line);
    return true;
  }

  /**
   * The next batch, in the order of arrival: as much as fits of what waits, one job of each in turn. Who was first is last the next time, and the first job of the
   * first is taken whatever its weight, so that nobody waits for ever.
   */
  take(weightMax: number): readonly Job[] {
    const all = [...this.#lines];
    const counts = this.#weight <= weightMax ? all.map(([, { waiting }]) => waiting.length) : countsByTurns(all, weightMax);
    const taken = all.flatMap(([of, line], place) => this.#takeFrom(of, line, counts[place] ?? 0));
    const [first] = all;
    const rest = first === undefined ? undefined : this.#lines.get(first[0]);
    if (first !== undefined && rest !== undefined) {
      this.#lines.delete(first[0]);
      this.#lines.set(first[0], rest);
    }
    return taken.sort((a, b) => a.arrival - b.arrival).map(({ job }) => job);
  }

  #takeFrom(of: ClaimsOf, line: Line<Job>, count: number): Line<Job>['waiting'] {
    const taken = line.waiting.splice(0, count);
    const weight = taken.reduce((sum, { job }) => sum + job.weight, 0);
    line.weight -= weight;
    this.#weight -= weight;
    if (line.waiting.length === 0) this.#lines.delete(of);
    return taken;
  }
}

// How many jobs from the front of each line, when not all fit.
function countsByTurns<Job extends WeighedJob>(lines: readonly (readonly [ClaimsOf, Line<Job>])[], weightMax: number): readonly number[] {
  const counts = lines.map(() => 0);
  let weight = 0;
  for (let before = -1; before !== weight; ) {
    before = weight;
    for (const [place, [, { waiting }]] of lines.entries()) {
      const next = waiting[counts[place] as number];
      if (next === undefined || (weight > 0 && weight + next.job.weight > weightMax)) continue;
      counts[place] = (counts[place] as number) + 1;
      weight += next.job.weight;
    }
  }
  return counts;
}
