// Which schedules end their instance: at a height, or when a time has come; with loss that hides the QCs of the closing block, with faulty
// validators who do not accept the end, with a node that comes when all is over.
import { type Closing, type Outcome, runSchedule } from './driver.ts';
import type { DriverCrypto } from './driver-crypto.ts';
import type { Hits } from './driver-invariants.ts';
import { type DriverEngine, FAR_PAST_MS } from './driver-node.ts';
import type { NetworkQuality } from './driver-world.ts';
import { equalCommittee } from './schedules.ts';

const QUALITIES: readonly NetworkQuality[] = [
  { lossPercent: 5, duplicatePercent: 10, delayMsMax: 300, partitionPercent: 30 },
  { lossPercent: 0, duplicatePercent: 5, delayMsMax: 80, partitionPercent: 0 },
  { lossPercent: 20, duplicatePercent: 10, delayMsMax: 60, partitionPercent: 10 },
];
const WITHHELD_PERCENT = [0, 40, 70];
const BAD_MS = 4_000;
const HEIGHTS_MAX = 4;

/** Runs the schedule of a seed to the end of its instance. */
export function runClosingSeed(seed: number, size: number, crypto: DriverCrypto, hits: Hits, engine?: DriverEngine): Outcome {
  const hasLateNode = seed % 4 === 1;
  const endMs = FAR_PAST_MS + 200 + ((seed * 613) % BAD_MS);
  const endHeight = 1 + (seed % HEIGHTS_MAX);
  const closing: Closing = {
    closes: seed % 5 === 0 ? ({ timestampMs }) => timestampMs >= endMs : ({ height }) => height >= endHeight,
    withheldPercent: WITHHELD_PERCENT[Math.floor(seed / 3) % WITHHELD_PERCENT.length] as number,
    isIgnoredByFaulty: seed % 4 === 0,
    hasLateNode,
  };
  return runSchedule({
    seed,
    instance: equalCommittee(crypto, size),
    crypto,
    hits,
    faulty: hasLateNode || seed % 2 === 1 ? 0 : Math.floor((size - 1) / 3),
    badMs: BAD_MS,
    quality: QUALITIES[seed % QUALITIES.length] as NetworkQuality,
    parameters: { leaderWindow: 2 + (seed % 2) },
    forgedPercent: seed % 7 === 0 ? 10 : 0,
    heights: HEIGHTS_MAX,
    closing,
    ...(engine === undefined ? {} : { engine }),
  });
}
