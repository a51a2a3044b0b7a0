// One thread runs consensus and JSON-RPC alike, so long work for clients rests in between: between two turns of the host's event loop it
// has TURN_MS_MAX, all clients together. Without the last words a thousand questions at once would each have its own share of every turn.
import type { Cancel, RpcTiming } from './ports.ts';

/** Far below the shortest interval between blocks. */
const TURN_MS_MAX = 8;

/** Promises between the end of a rest and the step after it. */
const HOPS_TO_A_STEP = 4;

/** To be awaited between the steps of long work: lets others run when the turn is over. */
export type Rest = () => Promise<void>;

/** The turns of one node's long work. The number of those who wait is bounded by that of requests. */
export class WorkTurns {
  readonly #timing: RpcTiming;
  readonly #waiting: (() => void)[] = [];
  #turnStartMs: number | undefined;
  #cancel: Cancel = () => undefined;

  constructor(timing: RpcTiming) {
    this.#timing = timing;
  }

  /** See `Rest`. Also to be awaited before the first step. */
  readonly rest: Rest = async () => {
    this.#turnStartMs ??= this.#beginTurn();
    if (this.#waiting.length === 0 && this.#isTurn()) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
  };

  /** Lets all who wait go on. */
  close(): void {
    this.#cancel();
    for (const next of this.#waiting.splice(0)) next();
  }

  #isTurn(): boolean {
    return this.#turnStartMs !== undefined && this.#timing.nowMs() - this.#turnStartMs < TURN_MS_MAX;
  }

  #beginTurn(): number {
    this.#cancel = this.#timing.schedule(0, () => {
      this.#turnStartMs = undefined;
      if (this.#waiting.length === 0) return;
      this.#turnStartMs = this.#beginTurn();
      this.#letGoOn();
    });
    return this.#timing.nowMs();
  }

  // Those who wait, in their order, until the turn is over. Whoever has more to do rests behind the others again.
  async #letGoOn(): Promise<void> {
    while (this.#waiting.length > 0 && this.#isTurn()) {
      this.#waiting.shift()?.();
      // Its step runs when the promises between it and here have settled.
      for (let hop = 0; hop < HOPS_TO_A_STEP; hop++) await undefined;
    }
  }
}
