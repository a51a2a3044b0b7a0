// Which schedules the driver runs: sizes, faults and networks by turns, everything else from the seed.
import type { Instance } from '../../../src/core/protocol/committee.ts';
import { type Outcome, runSchedule } from './driver.ts';
import { committeeOf, type DriverCrypto } from './driver-crypto.ts';
import type { Hits } from './driver-invariants.ts';
import type { NetworkQuality } from './driver-world.ts';
import { instanceOf } from './values.ts';

const QUALITIES: readonly NetworkQuality[] = [
  { lossPercent: 0, duplicatePercent: 5, delayMsMax: 900, partitionPercent: 0 },
  { lossPercent: 5, duplicatePercent: 10, delayMsMax: 300, partitionPercent: 40 },
  { lossPercent: 25, duplicatePercent: 10, delayMsMax: 60, partitionPercent: 20 },
  { lossPercent: 10, duplicatePercent: 30, delayMsMax: 1500, partitionPercent: 30 },
];
const WINDOWS = [2, 3, 8];
const BAD_MS = 4000;
const HEIGHTS = 3;

/** A committee of `size` validators with one seat each. */
export function equalCommittee(crypto: DriverCrypto, size: number): Instance {
  return instanceOf(committeeOf(crypto, new Map(Array.from({ length: size }, (_unused, index) => [index, 1]))), 1, 0);
}

/** Runs the schedule of a seed: every third one has as many faulty validators as a committee of its size bears, every fifth one a forger. */
export function runSeed(seed: number, size: number, crypto: DriverCrypto, hits: Hits): Outcome {
  return runSchedule({
    seed,
    instance: equalCommittee(crypto, size),
    crypto,
    hits,
    faulty: seed % 3 === 0 ? Math.floor((size - 1) / 3) : 0,
    badMs: BAD_MS,
    quality: QUALITIES[seed % QUALITIES.length] as NetworkQuality,
    parameters: { leaderWindow: WINDOWS[Math.floor(seed / QUALITIES.length) % WINDOWS.length] as number },
    forgedPercent: seed % 5 === 0 ? 20 : 0,
    heights: HEIGHTS,
  });
}
