// Virtual time: timers fire in the order of their moments, then of their setting, as fast as the machine can; between two of them
// everything that was awaiting settles. Nothing here reads a real clock, so equal schedules give equal runs.
import { nextTick } from 'node:process';
import { setImmediate } from 'node:timers/promises';
import { invariant } from '../core/primitives/errors.ts';
import type { TimestampMs } from '../core/primitives/ids.ts';
import type { CancelTimer, Clock } from '../runtime/ports.ts';

interface Timer {
  readonly dueMs: TimestampMs;
  readonly order: number;
  readonly callback: () => void;
}

/** Timers at once: far above what whole nodes set. */
const TIMERS_MAX = 1_000_000;
/** Events between two turns of the process's own loop, which hears signals and its parent there: some tens of milliseconds. */
const EVENTS_PER_TURN = 256;

/** See the file's head. */
export class VirtualClock implements Clock {
  readonly #heap: Timer[] = [];
  readonly #cancelled = new Set<number>();
  #nowMs: TimestampMs;
  #order = 0;
  #isRunning = false;
  /** Looks at the world after each event; virtual time stands still meanwhile. */
  onEvent: (() => Promise<void> | void) | undefined;

  constructor(startMs: TimestampMs) {
    this.#nowMs = startMs;
  }

  nowMs(): TimestampMs {
    return Math.floor(this.#nowMs); // As a machine says it: whole milliseconds.
  }

  /** With its fractions, as the world counts it. */
  get exactMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): CancelTimer {
    invariant(this.#heap.length < TIMERS_MAX, 'timers are bounded');
    const order = this.#order++;
    this.#push({ dueMs: this.#nowMs + Math.max(0, delayMs), order, callback });
    return () => {
      this.#cancelled.add(order);
    };
  }

  /** Runs until `done` holds or virtual time has passed `untilMs`; gives the number of timers fired. */
  async run(untilMs: TimestampMs, done: () => boolean = () => false): Promise<number> {
    invariant(!this.#isRunning, 'virtual time is driven by one hand');
    this.#isRunning = true;
    try {
      return await this.#fire(untilMs, done);
    } finally {
      this.#isRunning = false;
    }
  }

  /** What is promised, which may take virtual time: it is driven on for it, unless somebody does so already. */
  async drive<T>(promised: Promise<T>): Promise<T> {
    if (this.#isRunning) return promised;
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promised.then(settle, settle);
    while (!isSettled) {
      const fired = await this.run(Number.POSITIVE_INFINITY, () => isSettled || this.#heap.length === 0);
      invariant(isSettled || fired > 0, 'what is promised waits for virtual time, and for nothing else');
    }
    return promised;
  }

  async #fire(untilMs: TimestampMs, done: () => boolean): Promise<number> {
    let fired = 0;
    await setImmediate(); // What was begun before settles first.
    while (!done()) {
      const timer = this.#heap[0];
      if (timer === undefined || timer.dueMs > untilMs) break;
      this.#pop();
      if (this.#cancelled.delete(timer.order)) continue;
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
      timer.callback();
      fired++;
      // Promises settle in a fixed order; none of them waits for the machine.
      await (fired % EVENTS_PER_TURN === 0 ? setImmediate() : settled());
      await this.onEvent?.();
    }
    if (!done() && untilMs !== Number.POSITIVE_INFINITY) this.#nowMs = Math.max(this.#nowMs, untilMs);
    return fired;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(timer);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (isBefore(heap[parent] as Timer, timer)) break;
      heap[place] = heap[parent] as Timer;
      place = parent;
    }
    heap[place] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Timer;
    if (heap.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Timer, heap[child] as Timer)) child++;
      if (isBefore(last, heap[child] as Timer)) break;
      heap[place] = heap[child] as Timer;
      place = child;
    }
    heap[place] = last;
  }
}

// What comes with the next tick comes when no promise is left that has anything to run: a turn of the loop without its timers and sockets.
function settled(): Promise<void> {
  return new Promise(nextTick as (resolve: () => void) => void);
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order);
}
