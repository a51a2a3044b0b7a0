// Draws the figures of the scale study as one SVG: three panels over the size of the committee, both axes logarithmic. Pure text, no library.
import type { ScaleFigures } from './model.ts';
import type { VotePath } from './votes.ts';

interface Panel {
  readonly title: string;
  readonly figureOf: (figures: ScaleFigures) => number;
}

const PANELS: readonly Panel[] = [
  { title: 'proposal to final, p50, ms', figureOf: ({ blockMsP50 }) => blockMsP50 },
  { title: 'sent a validator and block, kB', figureOf: ({ sentKb }) => sentKb },
  { title: 'CPU a validator and block, ms', figureOf: ({ cpuMs }) => cpuMs },
];
const COLOURS: Readonly<Record<VotePath, string>> = { broadcast: '#1b6e3c', leader: '#b3541e', tree: '#3b5ba5' };
const WIDTH = 300;
const HEIGHT = 240;
const MARGIN = 48;
const LEGEND_HEIGHT = 40;

/** The whole file. */
export function drawScale(figures: readonly ScaleFigures[]): string {
  const width = PANELS.length * (WIDTH + MARGIN) + MARGIN;
  const height = HEIGHT + 2 * MARGIN + LEGEND_HEIGHT;
  const panels = PANELS.map((panel, place) => drawPanel(panel, figures, MARGIN + place * (WIDTH + MARGIN)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    '<title>Finality, bytes and processor time over the size of the committee</title>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...panels,
    drawLegend(height - LEGEND_HEIGHT / 2),
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel({ title, figureOf }: Panel, figures: readonly ScaleFigures[], left: number): string {
  const sizes = [...new Set(figures.map(({ committee }) => committee))].sort((a, b) => a - b);
  const values = figures.map(figureOf);
  const x = scale(Math.min(...sizes), Math.max(...sizes), left, left + WIDTH);
  const [low, high] = [10 ** Math.floor(Math.log10(Math.min(...values))), 10 ** Math.ceil(Math.log10(Math.max(...values)))];
  const y = scale(low, high, MARGIN + HEIGHT, MARGIN);
  const decades = Array.from({ length: Math.round(Math.log10(high / low)) + 1 }, (_unused, power) => low * 10 ** power);
  const lines = (Object.keys(COLOURS) as VotePath[]).flatMap((path) =>
    [false, true].map((isSilent) => {
      const points = figures
        .filter((each) => each.path === path && each.silent > 0 === isSilent)
        .map((each) => `${x(each.committee)},${y(figureOf(each))}`);
      return `<polyline points="${points.join(' ')}" fill="none" stroke="${COLOURS[path]}" stroke-width="2"${isSilent ? ' stroke-dasharray="4 4"' : ''}/>`;
    }),
  );
  return [
    `<text x="${left}" y="${MARGIN - 14}" font-weight="bold">${title}</text>`,
    ...decades.map(
      (value) =>
        `<line x1="${left}" x2="${left + WIDTH}" y1="${y(value)}" y2="${y(value)}" stroke="#ddd"/><text x="${left - 4}" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
    ),
    ...sizes.map((size) => `<text x="${x(size)}" y="${MARGIN + HEIGHT + 16}" text-anchor="middle">${size}</text>`),
    ...lines,
  ].join('\n');
}

function drawLegend(y: number): string {
  const paths = (Object.keys(COLOURS) as VotePath[]).map((path, place) => {
    const x = MARGIN + place * 160;
    return `<line x1="${x}" x2="${x + 24}" y1="${y}" y2="${y}" stroke="${COLOURS[path]}" stroke-width="2"/><text x="${x + 30}" y="${y + 4}">votes by ${path}</text>`;
  });
  const x = MARGIN + paths.length * 160;
  const silent = `<line x1="${x}" x2="${x + 24}" y1="${y}" y2="${y}" stroke="#444" stroke-width="2" stroke-dasharray="4 4"/><text x="${x + 30}" y="${y + 4}">a third of the validators silent</text>`;
  return [...paths, silent].join('\n');
}

function scale(low: number, high: number, from: number, to: number): (value: number) => number {
  const span = Math.log(high / low) || 1;
  return (value) => Number((from + ((to - from) * Math.log(value / low)) / span).toFixed(1));
}
