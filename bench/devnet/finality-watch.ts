// When transactions become final, as seen from nodes other than the one that took them in: the head of one names the block, the
// block names its transactions, and samples of receipts are read from both watched nodes.
import { type RpcClient, readPatiently } from './json-rpc-client.ts';

/** Every so many transactions a receipt is read, in turn from each watched node. */
const RECEIPT_SAMPLE = 50;
/** Nobody times receipts, and each question costs both sides half a millisecond: on full cores the other node is often some blocks behind. */
const RECEIPT_POLL_MS = 250;
/** A receipt that has not come after two minutes counts as failed. */
const RECEIPT_ATTEMPTS_MAX = 480;

/** What was seen. */
export interface FinalityWatch {
  /** Transactions sent and not final yet. */
  waiting(): number;
  /** Whether it is one of them. */
  isWaiting(hash: string): boolean;
  /** A transaction leaves that was due at `dueMs`, by `performance.now()`: its latency begins then. */
  sent(hash: string, dueMs: number): void;
  /** It was refused: nobody waits for it. */
  refused(hash: string): void;
  /** Latencies in milliseconds of what was sent and became final in the window so far; starts a new window. */
  takeWindow(): {
    readonly latenciesMs: Float64Array;
    readonly receiptsRead: number;
    readonly receiptsFailed: number;
    readonly blocks: number;
  };
  /** Resolves when something became final. */
  progress(): Promise<void>;
  stop(): void;
}

/** Watches `heads` for blocks, and reads receipts from it and from `other`. */
export async function watchFinality(heads: RpcClient, other: RpcClient): Promise<FinalityWatch> {
  const dueAtMs = new Map<string, number>();
  let latencies: number[] = [];
  let receiptsRead = 0;
  let receiptsFailed = 0;
  let blocks = 0;
  let samples = 0;
  let wake: (() => void) | undefined;
  let reading = Promise.resolve();
  let lastRead = Number(await heads.call('eth_blockNumber', []));

  const readReceipt = async (hash: string): Promise<void> => {
    samples++;
    const node = samples % 2 === 0 ? heads : other;
    // The other node may see the block a moment later, on full cores some seconds.
    for (let attempt = 0; attempt < RECEIPT_ATTEMPTS_MAX; attempt++) {
      const receipt = (await node.call('eth_getTransactionReceipt', [hash])) as { status: string } | null;
      if (receipt !== null) {
        receiptsRead++;
        if (receipt.status !== '0x1') receiptsFailed++;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, RECEIPT_POLL_MS));
    }
    receiptsFailed++;
  };

  const readBlock = async (number: number): Promise<void> => {
    const block = (await readPatiently(heads, 'eth_getBlockByNumber', [`0x${number.toString(16)}`, false])) as { transactions: string[] };
    const nowMs = performance.now();
    blocks++;
    for (const hash of block.transactions) {
      const dueMs = dueAtMs.get(hash);
      if (dueMs === undefined) continue;
      dueAtMs.delete(hash);
      latencies.push(nowMs - dueMs);
      if (latencies.length % RECEIPT_SAMPLE === 0) void readReceipt(hash).catch(() => receiptsFailed++);
    }
    wake?.();
  };

  const stopHeads = await heads.onHead((number) => {
    const from = lastRead + 1;
    lastRead = Math.max(lastRead, number);
    for (let next = from; next <= number; next++) reading = reading.then(() => readBlock(next));
  });

  return {
    waiting: () => dueAtMs.size,
    isWaiting: (hash) => dueAtMs.has(hash),
    sent: (hash, dueMs) => void dueAtMs.set(hash, dueMs),
    refused: (hash) => void dueAtMs.delete(hash),
    takeWindow() {
      const window = { latenciesMs: Float64Array.from(latencies).sort(), receiptsRead, receiptsFailed, blocks };
      latencies = [];
      receiptsRead = 0;
      receiptsFailed = 0;
      blocks = 0;
      return window;
    },
    progress: () =>
      new Promise((resolve) => {
        wake = resolve;
      }),
    stop: stopHeads,
  };
}
