// Transfers one by one on a network that does nothing else, each with its own moments.
import { setTimeout as sleep } from 'node:timers/promises';
import type { FinalityWatch } from '../devnet/finality-watch.ts';
import type { RpcClient } from '../devnet/json-rpc-client.ts';
import type { SignedTransaction } from '../devnet/transactions.ts';
import type { SeenTransfer } from './steps.ts';

/** A transfer that became final. */
export type SentTransfer = SeenTransfer;

const FINAL_MS_MAX = 30_000;
const POLL_MS = 10;

/** Sends each when the one before is final, at every phase of the beats of the network. Throws where one does not become final. */
export async function sendOneByOne(
  entry: RpcClient,
  watch: FinalityWatch,
  transactions: readonly SignedTransaction[],
): Promise<readonly SentTransfer[]> {
  const sent: SentTransfer[] = [];
  for (const [i, { raw, hash }] of transactions.entries()) {
    watch.takeWindow();
    const startMs = performance.now();
    watch.sent(hash, startMs);
    const [error] = await entry.sendRaw([raw]);
    if (error !== undefined) throw new Error(`a transfer was refused: ${error}`);
    while (watch.waiting() > 0) {
      if (performance.now() > startMs + FINAL_MS_MAX) throw new Error(`${hash} did not become final`);
      await Promise.race([watch.progress(), sleep(POLL_MS)]);
    }
    const [latencyMs = 0] = watch.takeWindow().latenciesMs;
    const sentAtMs = performance.timeOrigin + startMs;
    sent.push({ hash, sentAtMs, finalAtMs: sentAtMs + latencyMs });
    await sleep(50 + ((i * 137) % 500));
  }
  return sent;
}
