// Which step of a transfer's way takes how long, by the timestamps of the blocks that it went through. A block's timestamp is when its leader
// made it, so a step ends when the next block of the way is made; all clocks are of one machine.
import type { ChainId, Height, Hex, TimestampMs } from '../../src/core/primitives/ids.ts';

/** A committed block of a shard. */
export interface ShardPlace {
  readonly shard: ChainId;
  readonly height: Height;
}

/** What blocks say of transactions and of each other. */
export interface BlockTimes {
  /** The block with a transaction. */
  readonly sentIn: (transactionHash: Hex) => ShardPlace | undefined;
  /** The block that took a transaction's main call out of its inbox. */
  readonly takenIn: (transactionHash: Hex) => ShardPlace | undefined;
  readonly timestampMs: (place: ShardPlace) => TimestampMs | undefined;
  /** Timestamp of the beacon block whose crosslinks bring this header. */
  readonly crosslinkedAtMs: (place: ShardPlace) => TimestampMs | undefined;
}

/** A transfer as its sender saw it, in milliseconds since the epoch. */
export interface SeenTransfer {
  readonly hash: Hex;
  readonly sentAtMs: number;
  readonly finalAtMs: number;
}

/** In the order of the way; the steps of the target are those of a transfer to another shard only. */
export const STEPS = ['shardBlock', 'nextBlock', 'crosslink', 'targetBlock', 'targetNextBlock', 'targetCrosslink', 'view'] as const;
export type Step = (typeof STEPS)[number];

/** What each step is, for the table. */
export const STEP_NAMES: Readonly<Record<Step, string>> = {
  shardBlock: 'sent until its block',
  nextBlock: 'until the next block, which commits the result',
  crosslink: 'until the beacon block with its crosslink',
  targetBlock: "until the target's block that takes the message",
  targetNextBlock: "until the target's next block",
  targetCrosslink: 'until the beacon block with its crosslink',
  view: 'until another node shows it as final',
};

/** Milliseconds of each step; undefined where a block of the way is missing. */
export function stepsOf(times: BlockTimes, { hash, sentAtMs, finalAtMs }: SeenTransfer): ReadonlyMap<Step, number> | undefined {
  const source = times.sentIn(hash);
  if (source === undefined) return undefined;
  const moments: [Step, number | undefined][] = wayOf(times, source, ['shardBlock', 'nextBlock', 'crosslink']);
  const target = times.takenIn(hash);
  if (target !== undefined) moments.push(...wayOf(times, target, ['targetBlock', 'targetNextBlock', 'targetCrosslink']));
  moments.push(['view', finalAtMs]);
  const steps = new Map<Step, number>();
  let beforeMs = sentAtMs;
  for (const [step, atMs] of moments) {
    if (atMs === undefined) return undefined;
    steps.set(step, atMs - beforeMs);
    beforeMs = atMs;
  }
  return steps;
}

// A header commits the execution of its parent: that is final when the header of the next block is.
function wayOf(times: BlockTimes, place: ShardPlace, [block, next, crosslink]: readonly [Step, Step, Step]): [Step, number | undefined][] {
  const child = { ...place, height: place.height + 1 };
  return [
    [block, times.timestampMs(place)],
    [next, times.timestampMs(child)],
    [crosslink, times.crosslinkedAtMs(child)],
  ];
}
