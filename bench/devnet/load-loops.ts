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
/** A closed loop's transaction that is not final after this long may be lost. */
const RESEND_MS = 5_000;
/** So many of those at once, the oldest: a node that has them answers soon, and costs little. */
const RESENT_AT_ONCE = 200;

/** Hands out prepared transactions in order. */
export class TransactionSource {
  readonly #transactions: readonly SignedTransaction[];
  /** Of a closed loop, in the order of sending. */
  readonly #underWay = new Map<string, { readonly transaction: SignedTransaction; sentAtMs: number }>();
  #next = 0;
  refusals = new Map<string, number>();
  resent = 0;

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

  /** They are to become final, whatever becomes of this sending. */
  sent(transactions: readonly SignedTransaction[]): void {
    const sentAtMs = performance.now();
    for (const transaction of transactions) this.#underWay.set(transaction.hash, { transaction, sentAtMs });
  }

  /** Those that were sent so long ago and are not final, the oldest first; from now on they are sent anew. */
  takeStale(watch: FinalityWatch, resendMs: number): readonly SignedTransaction[] {
    const nowMs = performance.now();
    const stale: SignedTransaction[] = [];
    for (const [hash, one] of this.#underWay) {
      if (!watch.isWaiting(hash)) this.#underWay.delete(hash);
      else if (one.sentAtMs <= nowMs - resendMs && stale.length < RESENT_AT_ONCE) {
        one.sentAtMs = nowMs;
        stale.push(one.transaction);
      }
    }
    this.resent += stale.length;
    return stale;
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

/**
 * Keeps `inFlight` transactions under way for `seconds`. What a node has no room for, or drops later, is sent again as its users would: else it is missed by all that
 * follows of its sender, and one after the other the places of those under way are taken by what can never become final.
 */
export async function runClosed(
  { entry, watch }: LoadTarget,
  source: TransactionSource,
  inFlight: number,
  seconds: number,
  resendMs = RESEND_MS,
): Promise<void> {
  const endMs = performance.now() + seconds * 1_000;
  const sending = new Set<Promise<void>>();
  let lookAtMs = performance.now() + resendMs;
  try {
    while (performance.now() < endMs) {
      if (performance.now() >= lookAtMs) {
        lookAtMs = performance.now() + resendMs;
        await sendAgain(entry, source.takeStale(watch, resendMs));
      }
      const room = inFlight - watch.waiting();
      if (room >= BATCH_MAX / 2) {
        const batch = source.take(Math.min(room, BATCH_MAX));
        source.sent(batch);
        const one = send(entry, watch, source, batch, performance.now(), 0, true).finally(() => sending.delete(one));
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

/** Waits until what is under way is final, sending again what a closed loop would; gives how many are not. */
export async function drain({ entry, watch }: LoadTarget, source: TransactionSource, resendMs = RESEND_MS): Promise<number> {
  const endMs = performance.now() + DRAIN_MS_MAX;
  while (watch.waiting() > 0 && performance.now() < endMs) {
    await untilWaitingAtMost(watch, 0, resendMs);
    await sendAgain(entry, source.takeStale(watch, resendMs));
  }
  return watch.waiting();
}

// A node says that it has them, or that they are final: both are well.
async function sendAgain(entry: RpcClient, transactions: readonly SignedTransaction[]): Promise<void> {
  if (transactions.length > 0) await sendOrSayWhy(entry, transactions);
}

// A node that does not answer in time took none, as far as its client knows.
async function sendOrSayWhy(entry: RpcClient, batch: readonly SignedTransaction[]): Promise<readonly (string | undefined)[]> {
  try {
    return await entry.sendRaw(batch.map(({ raw }) => raw));
  } catch (error) {
    return batch.map(() => `no answer: ${String(error)}`);
  }
}

// The first of the batch was due at `firstDueMs`, each further one `apartMs` later. What is refused is no longer waited for, unless it is sent again.
async function send(
  entry: RpcClient,
  watch: FinalityWatch,
  source: TransactionSource,
  batch: readonly SignedTransaction[],
  firstDueMs: number,
  apartMs = 0,
  isSentAgain = false,
): Promise<void> {
  for (const [i, { hash }] of batch.entries()) watch.sent(hash, firstDueMs + i * apartMs);
  const errors = await sendOrSayWhy(entry, batch);
  for (const [i, error] of errors.entries()) {
    if (error === undefined) continue;
    source.countRefusal(error);
    if (!isSentAgain) watch.refused(batch[i]?.hash ?? '');
  }
}

async function untilWaitingAtMost(watch: FinalityWatch, waitingMax: number, timeoutMs: number): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (watch.waiting() > waitingMax && performance.now() < endMs) await Promise.race([watch.progress(), sleep(TICK_MS)]);
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
