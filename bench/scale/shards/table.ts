// The study of shards as lines of a table.
import type { StudyRow } from './study.ts';

const COLUMNS: readonly (readonly [string, (row: StudyRow) => string])[] = [
  ['shards', ({ shards }) => String(shards)],
  ['ms apart', ({ shardIntervalMs }) => String(shardIntervalMs)],
  ['signatures', ({ hasVerifierThreads }) => (hasVerifierThreads ? 'own threads' : 'main thread')],
  ['across', ({ crossPercent }) => `${crossPercent.toFixed(0)} %`],
  ['completed/s', ({ completedPerSecond }) => completedPerSecond.toFixed(0)],
  ['of S × one', ({ ofLinear }) => ofLinear.toFixed(2)],
  ['blocks/s', ({ blocksPerSecond }) => blocksPerSecond.toFixed(1)],
  ['local/across ms', ({ localMsP50, crossMsP50 }) => `${localMsP50.toFixed(0)} / ${crossMsP50.toFixed(0)}`],
  ['busy', ({ busyPercent }) => `${busyPercent.toFixed(0)} %`],
  ['beacon', ({ beaconPercent }) => `${beaconPercent.toFixed(1)} %`],
  ['beacon kB/s', ({ beaconKbPerSecond }) => beaconKbPerSecond.toFixed(0)],
  ['body kB', ({ beaconBodyKb }) => beaconBodyKb.toFixed(0)],
  ['bodies full', ({ beaconFullPercent }) => `${beaconFullPercent.toFixed(0)} %`],
];
const WIDTH = 16;

export const STUDY_HEADINGS = COLUMNS.map(([heading]) => heading.padEnd(WIDTH))
  .join('')
  .trimEnd();

/** A row, under `STUDY_HEADINGS`. */
export function describeRow(row: StudyRow): string {
  return COLUMNS.map(([, of]) => of(row).padEnd(WIDTH))
    .join('')
    .trimEnd();
}
