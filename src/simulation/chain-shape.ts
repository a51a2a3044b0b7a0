// Which chains a schedule has, and how fast: the beacon, the layout of its shards, how long an epoch is. Most schedules have one shard and no turn of
// an epoch, so that the events go into faults; the others pay for more chains, or for a faster beacon.
import { type ChainId, ROOT_SHARD } from '../core/primitives/ids.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { SeededRandom } from './random.ts';

/** See the file's head. */
export interface ChainShape {
  /** Shards, left to right. */
  readonly layout: readonly ChainId[];
  /** Beacon blocks of an epoch. */
  readonly epochBlocks: number;
  /** Between two beacon blocks at least. */
  readonly beaconIntervalMs: number;
  /** Beacon blocks after an epoch before its records are taken over; when absent, more than a schedule has. */
  readonly takeoverGraceBlocks?: number;
  /** Seats of a shard's committee; when absent, every validator has one. */
  readonly committeeSeats?: number;
  /** The first node follows all shards, the others their own; all follow all when absent. */
  readonly follow?: 'own';
}

/** One shard, and no turn of an epoch while a schedule lasts. */
export const PLAIN_SHAPE: ChainShape = { layout: [ROOT_SHARD], epochBlocks: 80, beaconIntervalMs: 1_000 };

const LAYOUTS: readonly (readonly ChainId[])[] = [
  [2, 3],
  [4, 5, 3],
  [4, 5, 6, 7],
];
const SHARDED_SHARE = 0.25;
const TURNING_SHARE = 0.25;
const EPOCH_BLOCKS = { least: 8, most: 24 };
const TURNING_INTERVAL_MS = { least: 250, most: 600 };
/** Epochs that the grace before a takeover lasts: as long as genesis permits, since most schedules are about what comes before. */
const GRACE_EPOCHS = 8;

/** Draws which chains a schedule has. */
export function drawShape(random: SeededRandom): ChainShape {
  const layout = random.chance(SHARDED_SHARE) ? random.pick(LAYOUTS) : PLAIN_SHAPE.layout;
  if (!random.chance(TURNING_SHARE)) return { ...PLAIN_SHAPE, layout };
  return {
    layout,
    epochBlocks: random.integer(EPOCH_BLOCKS.least, EPOCH_BLOCKS.most + 1),
    beaconIntervalMs: random.integer(TURNING_INTERVAL_MS.least, TURNING_INTERVAL_MS.most + 1),
  };
}

/** Which part of the time that one shard is under faults is enough where there are more shards: it makes no fewer blocks, and each costs as much. */
export function faultShareOf({ layout }: ChainShape): number {
  return 3 / (layout.length + 2);
}

/**
 * The parameters of a schedule: short timers, so that many rounds fail and many follow. Unless the shape says otherwise, every validator is in every
 * committee: fewer than a third of all are dishonest, and so are those of each.
 */
export function scheduleParameters(preset: NetworkParameters, nodes: number, shape: ChainShape): NetworkParameters {
  const { epochBlocks, beaconIntervalMs, takeoverGraceBlocks = GRACE_EPOCHS * epochBlocks, committeeSeats = nodes } = shape;
  return {
    ...preset,
    roundTimeoutMs: 600,
    roundTimeoutMsMax: 3_000,
    resendIntervalMs: 250,
    idleIntervalMs: 250,
    committeeSeats,
    epochBlocks,
    takeoverGraceBlocks,
    beaconBlockIntervalMsMin: beaconIntervalMs,
  };
}
