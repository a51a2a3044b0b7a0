// Virtual time, seeded chance and a bad network for the in-memory driver.

/** A seeded generator (mulberry32): the same seed gives the same schedule on every machine. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, and without, `below`. */
  integer(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  }

  percent(likelihood: number): boolean {
    return this.integer(100) < likelihood;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)] as T;
  }
}

interface Task {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** Tasks in order of time, and of their making where times are equal. */
export class VirtualTime {
  nowMs = 0;
  #made = 0;
  readonly #heap: Task[] = [];

  schedule(delayMs: number, run: () => void): void {
    const heap = this.#heap;
    heap.push({ atMs: this.nowMs + delayMs, order: this.#made++, run });
    for (let child = heap.length - 1; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!isBefore(heap[child] as Task, heap[parent] as Task)) return;
      swap(heap, child, parent);
      child = parent;
    }
  }

  /** Runs tasks until the time has come or `isDone` says so; false if nothing is left to do. */
  runUntil(untilMs: number, isDone: () => boolean): boolean {
    for (let next = this.#heap[0]; next !== undefined; next = this.#heap[0]) {
      if (next.atMs > untilMs || isDone()) return true;
      this.#removeFirst();
      this.nowMs = next.atMs;
      next.run();
    }
    return false;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let parent = 0; ; ) {
      let least = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < heap.length && isBefore(heap[child] as Task, heap[least] as Task)) least = child;
      }
      if (least === parent) return;
      swap(heap, parent, least);
      parent = least;
    }
  }
}

/** How bad the network is. */
export interface NetworkQuality {
  readonly lossPercent: number;
  readonly duplicatePercent: number;
  readonly delayMsMax: number;
  /** The network is cut in two anew this often; 0 for never. */
  readonly partitionPercent: number;
}

/** Everything arrives, soon, in any order. */
export const HEALTHY: NetworkQuality = { lossPercent: 0, duplicatePercent: 0, delayMsMax: 40, partitionPercent: 0 };

/** A second copy may come this much later, when its round is long over. */
const REPLAYED_MS_MAX = 3_000;

/** Delivers, delays, reorders, duplicates and loses. */
export class BadNetwork {
  quality: NetworkQuality;
  readonly #time: VirtualTime;
  readonly #chance: Chance;
  #sideOf = new Map<string, number>();

  constructor(time: VirtualTime, chance: Chance, quality: NetworkQuality) {
    this.#time = time;
    this.#chance = chance;
    this.quality = quality;
  }

  /** Cuts the network in two, or joins it again. */
  redraw(names: readonly string[]): void {
    const isCut = this.#chance.percent(this.quality.partitionPercent);
    this.#sideOf = new Map(names.map((name) => [name, isCut ? this.#chance.integer(2) : 0]));
  }

  carry(from: string, to: string, deliver: () => void): void {
    const { lossPercent, duplicatePercent, delayMsMax } = this.quality;
    if (this.#sideOf.get(from) !== this.#sideOf.get(to) || this.#chance.percent(lossPercent)) return;
    this.#time.schedule(1 + this.#chance.integer(delayMsMax), deliver);
    if (this.#chance.percent(duplicatePercent)) this.#time.schedule(1 + this.#chance.integer(REPLAYED_MS_MAX), deliver);
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function swap(heap: Task[], a: number, b: number): void {
  const task = heap[a] as Task;
  heap[a] = heap[b] as Task;
  heap[b] = task;
}
