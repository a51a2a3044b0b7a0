// Draws the study of shards: three panels over their number.
import { drawCharts, type Line } from '../charts.ts';
import type { StudyRow } from './study.ts';

interface Measure {
  readonly title: string;
  readonly figureOf: (row: StudyRow) => number;
}

const MEASURES: readonly Measure[] = [
  { title: 'completed transfers a second', figureOf: ({ completedPerSecond }) => completedPerSecond },
  { title: "beacon, % of a validator's main thread", figureOf: ({ beaconPercent }) => beaconPercent },
  { title: 'crosslinks of a beacon block, kB', figureOf: ({ beaconBodyKb }) => beaconBodyKb },
];
const COLOURS = ['#1b6e3c', '#b3541e', '#3b5ba5', '#7a3b8f'] as const;

/** The whole file. */
export function drawStudy(rows: readonly StudyRow[]): string {
  const intervals = [...new Set(rows.map(({ shardIntervalMs }) => shardIntervalMs))];
  const colourOf = (intervalMs: number): string => COLOURS[intervals.indexOf(intervalMs) % COLOURS.length] as string;
  const linesOf = (figureOf: Measure['figureOf']): Line[] =>
    intervals.flatMap((intervalMs) =>
      [false, true].map((isDashed) => ({
        colour: colourOf(intervalMs),
        isDashed,
        points: rows
          .filter((row) => row.shardIntervalMs === intervalMs && row.hasVerifierThreads === isDashed)
          .map((row) => ({ x: row.shards, y: figureOf(row) })),
      })),
    );
  return drawCharts(
    'Throughput, and what the beacon costs, over the number of shards',
    MEASURES.map(({ title, figureOf }) => ({ title, lines: linesOf(figureOf) })),
    [
      ...intervals.map((intervalMs) => ({
        colour: colourOf(intervalMs),
        isDashed: false,
        text: `shard blocks ${intervalMs} ms apart at least`,
      })),
      { colour: '#444', isDashed: true, text: 'signatures on threads of their own' },
    ],
  );
}
