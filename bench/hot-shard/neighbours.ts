// The users of the other shards, who have nothing to do with the hot one: a small steady rate of transactions, whose latency says what they notice.
import type { FinalityWatch } from '../devnet/finality-watch.ts';
import type { RpcClient } from '../devnet/json-rpc-client.ts';
import { runOpen, type TransactionSource } from '../devnet/load-loops.ts';
import { type Latency, latencyOf } from '../devnet/measurement.ts';

/** What the neighbours saw in a phase. */
export interface NeighbourFigures {
  readonly transactions: number;
  readonly latencyMs: Latency;
  readonly receiptsFailed: number;
}

/** One slice of a phase: short, so that phases may end when the load does. */
const SLICE_SECONDS = 1;

/** Sends at the rate until `isOver`. What became final in the phase counts to it. */
export async function runNeighbours(
  {
    entry,
    watch,
    source,
    perSecond,
  }: { readonly entry: RpcClient; readonly watch: FinalityWatch; readonly source: TransactionSource; readonly perSecond: number },
  isOver: () => boolean,
): Promise<NeighbourFigures> {
  watch.takeWindow();
  while (!isOver()) await runOpen({ entry, watch }, source, perSecond, SLICE_SECONDS);
  const { latenciesMs, receiptsFailed } = watch.takeWindow();
  return { transactions: latenciesMs.length, latencyMs: latencyOf(latenciesMs), receiptsFailed };
}
