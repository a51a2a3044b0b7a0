// Three ways to load a network. Unloaded: one transaction at a time. Closed loop: a fixed number under way, which finds the most that
// goes through. Open loop: a fixed rate whatever comes back, which is what users are like and shows the latency honestly.
import type { FinalityWatch } from './finality-watch.ts';
import type { RpcClient } from './json-rpc-client.ts';
import type { SignedTransaction } from './transactions.ts';

/** What all loops need. */
export interface LoadTarget {
  readonly entry: RpcClient;
  readonly watch: FinalityWatch;
}

/** A loop asked for more transactions than were prepared: what it measured until then is not what it was asked to measure. */
export class SourceRanOut extends Error {}

/** Transactions of one HTTP request. */
const BATCH_MAX = 100;
const TICK_MS = 10;
const DRAIN_MS_MAX = 20_000;

/** Hands out prepared transactions in order. */
export class TransactionSource {
  readonly #transactions: readonly SignedTransaction[];
  #next = 0;
  refusals = new Map<string, number>();

  constructor(transactions: readonly SignedTransaction[]) {
    this.#transactions = transactions;
  }

  /** The next `count`; throws `SourceRanOut` where there are fewer. */
  take(count: number): readonly SignedTransaction[] {
    const prepared = this.#transactions.length;
    if (this.#next + count > prepared) {
      throw new SourceRanOut(`all ${prepared} prepared transactions were sent before the time was over: prepare more with --prepared`);
    }
    const taken = this.#transactions.slice(this.#next, this.#next + count);
    this.#next += count;
    return taken;
  }

  countRefusal(message: string): void {
    const label = message.split(':', 1)[0] ?? message;
    this.refusals.set(label, (this.refusals.get(label) ?? 0) + 1);
  }
}

/** Sends one, waits until it is final, and again. */
export async function runOneByOne({ entry, watch }: LoadTarget, source: TransactionSource, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await send(entry, watch, source, source.take(1), performance.now());
    await untilWaitingAtMost(watch, 0, DRAIN_MS_MAX);
    // Off the beat of idle blocks, so that every phase of it is met.
    await sleep(50 + ((i * 37) % 200));
  }
}

/** Keeps `inFlight` transactions under way for `seconds`. */
export async function runClosed({ entry, watch }: LoadTarget, source: TransactionSource, inFlight: number, seconds: number): Promise<void> {
  const endMs = performance.now() + seconds * 1_000;
  const sending = new Set<Promise<void>>();
  try {
    while (performance.now() < endMs) {
      const room = inFlight - watch.waiting();
      if (room >= BATCH_MAX / 2) {
        const batch = source.take(Math.min(room, BATCH_MAX));
        const one = send(entry, watch, source, batch, performance.now()).finally(() => sending.delete(one));
        sending.add(one);
        await sleep(0);
      } else await Promise.race([watch.progress(), sleep(TICK_MS)]);
    }
  } finally {
    await Promise.all(sending);
  }
}

/**
 * Sends `perSecond` transactions a second for `seconds`. Each has a moment at which it is due, and its latency begins there: where this
 * process or its connections are late, users would have waited, and a latency from the sending would leave that out (coordinated omission).
 */
export async function runOpen({ entry, watch }: LoadTarget, source: TransactionSource, perSecond: number, seconds: number): Promise<void> {
  const startMs = performance.now();
  const sending = new Set<Promise<void>>();
  const total = Math.floor(seconds * perSecond);
  try {
    for (let handedOut = 0; handedOut < total; ) {
      const elapsedMs = performance.now() - startMs;
      const due = Math.min(total, Math.floor((elapsedMs / 1_000) * perSecond)) - handedOut;
      for (let left = due; left > 0; left -= BATCH_MAX) {
        const batch = source.take(Math.min(left, BATCH_MAX));
        const firstDueMs = startMs + ((handedOut + 1) * 1_000) / perSecond;
        const one = send(entry, watch, source, batch, firstDueMs, 1_000 / perSecond).finally(() => sending.delete(one));
        sending.add(one);
        handedOut += batch.length;
      }
      if (handedOut < total) await sleep(TICK_MS);
    }
  } finally {
    await Promise.all(sending);
  }
}

/** Waits until what is under way is final; gives how many are not. */
export async function drain(watch: FinalityWatch): Promise<number> {
  await untilWaitingAtMost(watch, 0, DRAIN_MS_MAX);
  return watch.waiting();
}

// The first of the batch was due at `firstDueMs`, each further one `apartMs` later.
async function send(
  entry: RpcClient,
  watch: FinalityWatch,
  source: TransactionSource,
  batch: readonly SignedTransaction[],
  firstDueMs: number,
  apartMs = 0,
): Promise<void> {
  for (const [i, { hash }] of batch.entries()) watch.sent(hash, firstDueMs + i * apartMs);
  const errors = await entry.sendRaw(batch.map(({ raw }) => raw));
  for (const [i, error] of errors.entries()) {
    if (error === undefined) continue;
    source.countRefusal(error);
    watch.refused(batch[i]?.hash ?? '');
  }
}

async function untilWaitingAtMost(watch: FinalityWatch, waitingMax: number, timeoutMs: number): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (watch.waiting() > waitingMax && performance.now() < endMs) await Promise.race([watch.progress(), sleep(TICK_MS)]);
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
