// Draws the figures of the study of committees: three panels over the size of the committee.
import { drawCharts, type Line } from './charts.ts';
import type { ScaleFigures } from './model.ts';
import type { VotePath } from './votes.ts';

interface Measure {
  readonly title: string;
  readonly figureOf: (figures: ScaleFigures) => number;
}

const MEASURES: readonly Measure[] = [
  { title: 'proposal to final, p50, ms', figureOf: ({ blockMsP50 }) => blockMsP50 },
  { title: 'sent a validator and block, kB', figureOf: ({ sentKb }) => sentKb },
  { title: 'CPU a validator and block, ms', figureOf: ({ cpuMs }) => cpuMs },
];
const COLOURS: Readonly<Record<VotePath, string>> = { broadcast: '#1b6e3c', leader: '#b3541e', tree: '#3b5ba5' };
const PATHS = Object.keys(COLOURS) as VotePath[];

/** The whole file. */
export function drawScale(figures: readonly ScaleFigures[]): string {
  const linesOf = (figureOf: Measure['figureOf']): Line[] =>
    PATHS.flatMap((path) =>
      [false, true].map((isDashed) => ({
        colour: COLOURS[path],
        isDashed,
        points: figures
          .filter((each) => each.path === path && each.silent > 0 === isDashed)
          .map((each) => ({ x: each.committee, y: figureOf(each) })),
      })),
    );
  return drawCharts(
    'Finality, bytes and processor time over the size of the committee',
    MEASURES.map(({ title, figureOf }) => ({ title, lines: linesOf(figureOf) })),
    [
      ...PATHS.map((path) => ({ colour: COLOURS[path], isDashed: false, text: `votes by ${path}` })),
      { colour: '#444', isDashed: true, text: 'a third of the validators silent' },
    ],
  );
}
