// How long finality takes, from when blocks were proposed and when each validator committed them.

/** Of the committed chain, by height, in milliseconds of virtual time. */
export interface ChainTimes {
  readonly proposedAtMs: ReadonlyMap<number, number>;
  /** Of each validator. */
  readonly committedAtMs: readonly ReadonlyMap<number, number>[];
}

/** In milliseconds, over all validators and blocks. */
export interface Finality {
  /** From the proposal of a block that became final until a validator committed it. */
  readonly blockMsP50: number;
  readonly blockMsP99: number;
  /** From a moment at which a transaction may come, each as likely as any other, until a validator committed the first block proposed after it. */
  readonly transactionMsP50: number;
  readonly transactionMsP99: number;
}

/** Moments between two blocks at which transactions come. */
const ARRIVALS = 10;

/** Of the blocks of these heights. */
export function finalityOf({ proposedAtMs, committedAtMs }: ChainTimes, fromHeight: number, toHeight: number): Finality {
  const ofBlocks: number[] = [];
  const ofTransactions: { readonly ms: number; readonly weight: number }[] = [];
  for (let height = fromHeight; height <= toHeight; height++) {
    const proposedMs = timeOf(proposedAtMs, height);
    const gapMs = proposedMs - timeOf(proposedAtMs, height - 1);
    for (const commits of committedAtMs) {
      const tookMs = timeOf(commits, height) - proposedMs;
      ofBlocks.push(tookMs);
      // As many transactions come in a gap as it is long.
      for (let arrival = 0; arrival < ARRIVALS; arrival++)
        ofTransactions.push({ ms: tookMs + (gapMs * (arrival + 0.5)) / ARRIVALS, weight: gapMs });
    }
  }
  const blocks = ofBlocks.map((ms) => ({ ms, weight: 1 }));
  return {
    blockMsP50: quantile(blocks, 0.5),
    blockMsP99: quantile(blocks, 0.99),
    transactionMsP50: quantile(ofTransactions, 0.5),
    transactionMsP99: quantile(ofTransactions, 0.99),
  };
}

function timeOf(times: ReadonlyMap<number, number>, height: number): number {
  const ms = times.get(height);
  if (ms === undefined) throw new Error(`nobody knows when block ${height} was`);
  return ms;
}

function quantile(samples: readonly { readonly ms: number; readonly weight: number }[], share: number): number {
  const sorted = [...samples].sort((a, b) => a.ms - b.ms);
  const wanted = sorted.reduce((sum, { weight }) => sum + weight, 0) * share;
  let sum = 0;
  for (const { ms, weight } of sorted) {
    sum += weight;
    if (sum >= wanted) return ms;
  }
  return Number.NaN;
}
