// A story as one HTML page that needs nothing else: a lane for each node, faults as bands, blocks with links to their parents, what each mark
// means on hover. This makes the frame and the data; in-browser.js draws them in the browser.
import { nodesOf } from '../plan.ts';
import { type StoryEntry, type StoryEvent, WORLD } from './story.ts';
import { describeFault, inWords, roleOf } from './text.ts';
import { interestingWindow, type StoryWindow, wholeOf } from './window.ts';

/** What goes into a page. */
export interface PageParts {
  readonly story: readonly StoryEntry[];
  readonly title: string;
  /** Lines under the title: what it is, how to run it again. */
  readonly about: readonly string[];
  /** Shown folded at the end: the plan, and the story as text. */
  readonly folded: readonly { readonly summary: string; readonly text: string }[];
  readonly styleSheet: string;
  readonly script: string;
}

/** Marks of one page. More are left out, the least telling first, and the page says how many. */
const MARKS_MAX = 30_000;

/** Kinds of marks, the most telling first. */
const MARK_KINDS = [
  'violation',
  'ends',
  'cannot-go-on',
  'starts',
  'proposes',
  'commits',
  'begins-instance',
  'gives-up',
  'certified',
  'enters',
  'commit-votes',
  'votes',
  'babbles',
  'tells-certificates',
] as const satisfies readonly StoryEvent['kind'][];

interface Mark {
  readonly atMs: number;
  /** Place among the lanes. */
  readonly lane: number;
  readonly kind: (typeof MARK_KINDS)[number];
  readonly text: string;
  /** 0 is the beacon. */
  readonly chain?: number;
  readonly round?: number;
  readonly height?: number;
  readonly block?: string;
  readonly parent?: string;
}

interface Band {
  readonly fromMs: number;
  readonly toMs: number;
  readonly kind: string;
  readonly text: string;
  /** Lanes that it strikes; none of them where it strikes all. */
  readonly lanes: readonly number[];
}

/** What in-browser.js reads. */
interface PageData {
  readonly lanes: readonly { readonly name: string; readonly role: string }[];
  readonly whole: StoryWindow;
  readonly window: StoryWindow;
  readonly marks: readonly Mark[];
  readonly faults: readonly Band[];
  /** Of nodes that do not run. */
  readonly downs: readonly Band[];
  readonly violation: { readonly atMs: number; readonly lane: number | undefined; readonly text: string } | undefined;
  readonly leftOut: number;
}

/** The page's text. */
export function timelinePage({ story, title, about, folded, styleSheet, script }: PageParts): string {
  const data = pageData(story);
  const lanes = data.lanes.map(
    ({ name, role }) => `<li data-lane="${escapeHtml(name)}"><b>${escapeHtml(name)}</b><span>${escapeHtml(role)}</span></li>`,
  );
  const kinds = MARK_KINDS.filter((kind) => data.marks.some((mark) => mark.kind === kind));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
${styleSheet}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
${about.map((line) => `<p>${escapeHtml(line)}</p>`).join('\n')}
</header>
<nav aria-label="view">
<span class="buttons"><button data-do="in" title="zoom in (+)">+</button><button data-do="out" title="zoom out (-)">−</button><button data-do="window" title="what matters most (w)">what matters</button><button data-do="whole" title="all of it (a)">all</button></span>
<span class="filters">${kinds.map((kind) => `<label class="kind-${kind}"><input type="checkbox" data-kind="${kind}" checked>${LABELS[kind]}</label>`).join('')}</span>
<button data-do="theme" title="light or dark">◐</button>
</nav>
<main>
<div id="overview" aria-hidden="true"></div>
<div id="chart"><ul id="names"><li class="axis">faults</li>${lanes.join('')}</ul><div id="plot" tabindex="0" role="img" aria-label="timeline"></div></div>
<p id="status">${data.leftOut === 0 ? '' : `${data.leftOut} of the least telling marks are left out of this page.`}</p>
<div id="tip" hidden></div>
<noscript><p>The picture is drawn by a script in this page; the story is below as text.</p></noscript>
</main>
${folded.map(({ summary, text }) => `<details><summary>${escapeHtml(summary)}</summary><pre>${escapeHtml(text)}</pre></details>`).join('\n')}
<script type="application/json" id="data">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>
<script>
${script}</script>
</body>
</html>
`;
}

const LABELS: Readonly<Record<(typeof MARK_KINDS)[number], string>> = {
  violation: 'violation',
  ends: 'ends',
  'cannot-go-on': 'stops by itself',
  starts: 'starts',
  proposes: 'proposals',
  commits: 'commits',
  'begins-instance': 'instances',
  'gives-up': 'timeouts',
  certified: 'QCs',
  enters: 'rounds',
  'commit-votes': 'commit votes',
  votes: 'votes',
  babbles: 'noise',
  'tells-certificates': 'certificates',
};

function pageData(story: readonly StoryEntry[]): PageData {
  const world = story.find(({ event }) => event.kind === 'world')?.event;
  const nodes = world?.kind === 'world' ? world.nodes : [];
  const dishonest = world?.kind === 'world' ? world.dishonest : [];
  const laneOf = new Map(nodes.map((name, lane) => [name, lane]));
  const whole = wholeOf(story);
  const window = interestingWindow(story);
  const all = story.flatMap((entry) => markOf(entry, laneOf));
  const marks = mostTelling(all, window);
  const violation = story.find(({ event }) => event.kind === 'violation');
  return {
    lanes: nodes.map((name) => ({ name, role: roleOf(name, dishonest).replace(/[ ()]/g, '') })),
    whole,
    window,
    marks,
    faults: faultBands(story, laneOf, whole.toMs),
    downs: downBands(story, laneOf, whole.toMs),
    violation:
      violation?.event.kind === 'violation'
        ? { atMs: violation.atMs, lane: laneOf.get(violation.event.node ?? ''), text: inWords(violation.event) }
        : undefined,
    leftOut: all.length - marks.length,
  };
}

function markOf({ atMs, who, event }: StoryEntry, laneOf: ReadonlyMap<string, number>): readonly Mark[] {
  const kind = MARK_KINDS.find((each) => each === event.kind);
  const lane = laneOf.get(event.kind === 'violation' ? (event.node ?? '') : who);
  if (kind === undefined || lane === undefined) return [];
  const facts = Object.fromEntries(Object.entries(event).filter(([key]) => ['chain', 'round', 'height', 'block', 'parent'].includes(key)));
  return [{ atMs, lane, kind, text: inWords(event), ...facts }];
}

// Within the window nothing is left out while something outside it is not.
function mostTelling(marks: readonly Mark[], { fromMs, toMs }: StoryWindow): readonly Mark[] {
  if (marks.length <= MARKS_MAX) return marks;
  const weight = ({ atMs, kind }: Mark): number => MARK_KINDS.indexOf(kind) + (atMs >= fromMs && atMs <= toMs ? 0 : MARK_KINDS.length);
  const ranked = marks.map((mark, place) => ({ place, weight: weight(mark) })).sort((a, b) => a.weight - b.weight || a.place - b.place);
  const kept = new Set(ranked.slice(0, MARKS_MAX).map(({ place }) => place));
  return marks.filter((_mark, place) => kept.has(place));
}

function faultBands(story: readonly StoryEntry[], laneOf: ReadonlyMap<string, number>, endMs: number): readonly Band[] {
  const quietMs = story.find(({ event }) => event.kind === 'quiet')?.atMs ?? endMs;
  return story.flatMap(({ atMs, event }) => {
    if (event.kind !== 'fault-begins') return [];
    const end = story.find((other) => other.event.kind === 'fault-ends' && other.event.fault === event.fault);
    const lanes = nodesOf(event.what).flatMap((node) => laneOf.get(`node-${node}`) ?? []);
    return [{ fromMs: atMs, toMs: end?.atMs ?? Math.max(atMs, quietMs), kind: event.what.kind, text: describeFault(event.what), lanes }];
  });
}

function downBands(story: readonly StoryEntry[], laneOf: ReadonlyMap<string, number>, endMs: number): readonly Band[] {
  const downs: Band[] = [];
  const since = new Map<number, { readonly fromMs: number; readonly how: string }>();
  const close = (lane: number, toMs: number): void => {
    const down = since.get(lane);
    since.delete(lane);
    if (down !== undefined) downs.push({ fromMs: down.fromMs, toMs, kind: 'down', text: `down: ${down.how}`, lanes: [lane] });
  };
  for (const { atMs, who, event } of story) {
    const lane = laneOf.get(who);
    if (lane === undefined || who === WORLD) continue;
    if (event.kind === 'ends') since.set(lane, { fromMs: atMs, how: event.how });
    else if (event.kind === 'starts') close(lane, atMs);
  }
  for (const lane of [...since.keys()]) close(lane, endMs);
  return downs;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
