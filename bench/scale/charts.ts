// Draws panels of lines as one SVG, both axes logarithmic. Pure text, no library.

/** One line. */
export interface Line {
  readonly colour: string;
  readonly isDashed: boolean;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** Lines over one axis. */
export interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

/** What lines of a kind mean. */
export interface LegendEntry extends Omit<Line, 'points'> {
  readonly text: string;
}

const WIDTH = 300;
const HEIGHT = 240;
const MARGIN = 48;
const LEGEND_HEIGHT = 40;

/** The whole file. */
export function drawCharts(title: string, panels: readonly Panel[], legend: readonly LegendEntry[]): string {
  const width = panels.length * (WIDTH + MARGIN) + MARGIN;
  const height = HEIGHT + 2 * MARGIN + LEGEND_HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...panels.map((panel, place) => drawPanel(panel, MARGIN + place * (WIDTH + MARGIN))),
    drawLegend(legend, (width - MARGIN) / legend.length, height - LEGEND_HEIGHT / 2),
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel({ title, lines }: Panel, left: number): string {
  const points = lines.flatMap((line) => line.points).filter(({ y }) => y > 0);
  const places = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const values = points.map(({ y }) => y);
  const x = scale(Math.min(...places), Math.max(...places), left, left + WIDTH);
  const [low, high] = [10 ** Math.floor(Math.log10(Math.min(...values))), 10 ** Math.ceil(Math.log10(Math.max(...values)))];
  const y = scale(low, high, MARGIN + HEIGHT, MARGIN);
  const decades = Array.from({ length: Math.round(Math.log10(high / low)) + 1 }, (_unused, power) =>
    Number((low * 10 ** power).toPrecision(1)),
  );
  return [
    `<text x="${left}" y="${MARGIN - 14}" font-weight="bold">${title}</text>`,
    ...decades.map(
      (value) =>
        `<line x1="${left}" x2="${left + WIDTH}" y1="${y(value)}" y2="${y(value)}" stroke="#ddd"/><text x="${left - 4}" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
    ),
    ...places.map((place) => `<text x="${x(place)}" y="${MARGIN + HEIGHT + 16}" text-anchor="middle">${place}</text>`),
    ...lines.map((line) => {
      const way = line.points.filter((point) => point.y > 0).map((point) => `${x(point.x)},${y(point.y)}`);
      return `<polyline points="${way.join(' ')}" fill="none" stroke="${line.colour}" stroke-width="2"${dashOf(line)}/>`;
    }),
  ].join('\n');
}

function drawLegend(entries: readonly LegendEntry[], width: number, y: number): string {
  return entries
    .map((entry, place) => {
      const x = MARGIN + place * width;
      return `<line x1="${x}" x2="${x + 24}" y1="${y}" y2="${y}" stroke="${entry.colour}" stroke-width="2"${dashOf(entry)}/><text x="${x + 30}" y="${y + 4}">${entry.text}</text>`;
    })
    .join('\n');
}

function dashOf({ isDashed }: Pick<Line, 'isDashed'>): string {
  return isDashed ? ' stroke-dasharray="4 4"' : '';
}

function scale(low: number, high: number, from: number, to: number): (value: number) => number {
  const span = Math.log(high / low) || 1;
  return (value) => Number((from + ((to - from) * Math.log(value / low)) / span).toFixed(1));
}
