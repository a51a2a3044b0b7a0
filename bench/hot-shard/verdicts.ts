// What a run has to show, figure by figure: each as it was, and what it may be. Times depend on the machine and what else it does; all others hold wherever the
// benchmark runs.
import type { NodeGauges, QueueGauge } from './node-gauges.ts';

/** What one figure came to. */
export interface Verdict {
  readonly what: string;
  readonly found: string;
  readonly wanted: string;
  readonly holds: boolean;
  /** It depends on what else the machine does. */
  readonly isOfTime: boolean;
}

/** What the verdicts are about. */
export interface RunFigures {
  readonly p99Ratio: number;
  readonly queuesMost: NodeGauges['queues'] | undefined;
  readonly queueBounds: Readonly<Record<QueueGauge, number>>;
  readonly hotBaseFeeGwei: { readonly first: number; readonly most: number; readonly last: number };
  readonly backlogWeightMax: Readonly<Record<string, number>>;
  readonly backlogWeightBound: number;
  readonly offered: number;
  readonly unsent: number;
  readonly isAllAccounted: boolean;
  readonly stateRootsEqual: boolean;
  /** Of all transactions that were sent, how many call a contract that sends messages, or create one. */
  readonly callsPercent: number;
}

/** Of what other shards' users waited for before. */
const P99_RATIO_MAX = 1.5;
/** How often the base fee has to double at least, from its minimum. */
const FEE_FACTOR_MIN = 2;
/** Of the offer, what may stay with users who were all busy. */
const UNSENT_SHARE_MAX = 0.01;
/** Of every load. */
const CALLS_PERCENT_MIN = 30;

/** See the file's head. */
export function verdictsOf(figures: RunFigures): readonly Verdict[] {
  const { p99Ratio, queuesMost, queueBounds, hotBaseFeeGwei, backlogWeightMax, backlogWeightBound, offered, unsent } = figures;
  const { first, most, last } = hotBaseFeeGwei;
  const backlog = Math.max(0, ...Object.values(backlogWeightMax));
  const queues = (Object.entries(queueBounds) as [QueueGauge, number][]).map(([gauge, bound]): Verdict => {
    const found = queuesMost?.[gauge] ?? Number.POSITIVE_INFINITY;
    return { what: `most of ${gauge}`, found: String(found), wanted: `at most ${bound}`, holds: found <= bound, isOfTime: false };
  });
  const yes = (what: string, holds: boolean): Verdict => ({ what, found: String(holds), wanted: 'true', holds, isOfTime: false });
  return [
    {
      what: "other shards' p99 during, of before",
      found: String(p99Ratio),
      wanted: `at most ${P99_RATIO_MAX}`,
      holds: p99Ratio <= P99_RATIO_MAX,
      isOfTime: true,
    },
    {
      what: 'base fee of the hot shard, gwei',
      found: `${first}, ${most}, ${last}`,
      wanted: `up by ${FEE_FACTOR_MIN} times and more, and down again`,
      holds: most >= FEE_FACTOR_MIN * first && last <= first,
      isOfTime: false,
    },
    ...queues,
    {
      what: 'most weight on the way to a shard',
      found: String(backlog),
      wanted: `at most ${backlogWeightBound}`,
      holds: backlog <= backlogWeightBound,
      // Rations are for each reference: where blocks refer to old beacon blocks, more is sent.
      isOfTime: true,
    },
    {
      what: 'not offered, since all users were busy',
      found: `${unsent} of ${offered}`,
      wanted: `at most ${100 * UNSENT_SHARE_MAX} %`,
      holds: unsent <= UNSENT_SHARE_MAX * offered,
      isOfTime: true,
    },
    {
      what: 'calls with messages, and creations, of all sent',
      found: `${figures.callsPercent} %`,
      wanted: `at least ${CALLS_PERCENT_MIN} %`,
      holds: figures.callsPercent >= CALLS_PERCENT_MIN,
      isOfTime: false,
    },
    yes('everything sent is accounted for', figures.isAllAccounted),
    yes('all nodes come to the same state', figures.stateRootsEqual),
  ];
}

/** One line each. */
export function describeVerdicts(verdicts: readonly Verdict[]): string {
  return verdicts
    .map(({ what, found, wanted, holds, isOfTime }) => `${holds ? 'holds' : isOfTime ? 'LATE ' : 'FAILS'}  ${what}: ${found} (${wanted})`)
    .join('\n');
}
