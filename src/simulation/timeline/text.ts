// A story as text: a line for each moment at which something happened, a column for each node.
import { BEACON_CHAIN, type ChainId } from '../../core/primitives/ids.ts';
import type { FaultKind } from '../faults.ts';
import { chainName, type StoryEntry, type StoryEvent } from './story.ts';
import { interestingWindow, type StoryWindow, wholeOf } from './window.ts';

/** How much of a story is printed. */
export interface TextOptions {
  /** The whole of it, and not only what matters most. */
  readonly isWhole: boolean;
  readonly linesMax: number;
}

const LEGEND = [
  '→ r  enters round r          P r/h block  proposes that block of height h       T r  gives up on round r',
  '● r  sees the QC of round r   v r, c r     votes, commit-votes for a block       ■ h  commits height h',
  'b     in the beacon            s<id>        in that shard                         ◇ e  begins the instance of epoch e',
];
const CELL = 30;
const MOMENT = 8;

/** Lines of text, at most `linesMax` of them and the few that say what it is. */
export function timelineText(story: readonly StoryEntry[], { isWhole, linesMax }: TextOptions): readonly string[] {
  const world = story.find(({ event }) => event.kind === 'world')?.event;
  if (world?.kind !== 'world') return ['no node ran'];
  const whole = wholeOf(story);
  const window = isWhole ? whole : interestingWindow(story);
  const rows = rowsOf(story, world.nodes, window);
  const shown =
    rows.length <= linesMax ? rows : [...rows.slice(0, linesMax >>> 1), ELLIPSIS, ...rows.slice(rows.length - (linesMax >>> 1))];
  const roles = world.nodes.map((name) => `${name}${roleOf(name, world.dishonest)}`);
  const left = story.length - story.filter((entry) => isWithin(entry, window)).length;
  return [
    ...LEGEND,
    '',
    `${'ms'.padStart(MOMENT)}  ${roles.map((role) => role.padEnd(CELL)).join('')}`.trimEnd(),
    ...shown,
    ...(left === 0 ? [] : [`(${left} events outside ${Math.round(window.fromMs)} to ${Math.round(window.toMs)} ms are not shown)`]),
    ...(rows.length <= linesMax ? [] : [`(${rows.length - linesMax} lines in the middle are not shown)`]),
  ];
}

/** What a node's validator is, if it is not honest: ` (twin)`. */
export function roleOf(node: string, dishonest: readonly { readonly validator: number; readonly strategy: string }[]): string {
  const validator = Number(/^node-(\d+)/.exec(node)?.[1]);
  const strategy = dishonest.find((each) => each.validator === validator)?.strategy;
  return strategy === undefined ? '' : ` (${strategy})`;
}

const ELLIPSIS = `${'…'.padStart(MOMENT)}`;

function isWithin({ atMs, event }: StoryEntry, { fromMs, toMs }: StoryWindow): boolean {
  return event.kind === 'violation' || (atMs >= fromMs && atMs <= toMs);
}

function rowsOf(story: readonly StoryEntry[], nodes: readonly string[], window: StoryWindow): string[] {
  const rows: string[] = [];
  let [atMs, cells] = [Number.NaN, new Map<string, string>()];
  const flush = (): void => {
    if (cells.size > 0)
      rows.push(`${String(atMs).padStart(MOMENT)}  ${nodes.map((name) => (cells.get(name) ?? '·').padEnd(CELL)).join('')}`.trimEnd());
    cells = new Map();
  };
  for (const entry of story) {
    if (entry.event.kind === 'world' || !isWithin(entry, window)) continue;
    const text = shortly(entry.event);
    const before = cells.get(entry.who);
    const isColumn = nodes.includes(entry.who);
    const joined = before === undefined ? text : `${before} ${text}`;
    const fits = joined.length < CELL;
    if (entry.atMs !== atMs || !isColumn || !fits) flush();
    atMs = entry.atMs;
    if (isColumn && text.length < CELL) cells.set(entry.who, cells.has(entry.who) ? joined : text);
    else rows.push(`${String(atMs).padStart(MOMENT)}  ${isColumn ? `${entry.who} ` : ''}${text}`);
  }
  flush();
  return rows;
}

function shortly(event: StoryEvent): string {
  if (!('chain' in event)) return inWords(event);
  const mark = markOf(event);
  return mark === undefined ? inWords(event) : `${shortName(event.chain)} ${mark}`;
}

function shortName(chain: ChainId): string {
  return chain === BEACON_CHAIN ? 'b' : `s${chain}`;
}

function markOf(event: Extract<StoryEvent, { readonly chain: ChainId }>): string | undefined {
  const to = 'to' in event && event.to !== undefined ? `»${event.to.replace('node-', '')}` : '';
  switch (event.kind) {
    case 'enters':
      return `→ ${event.round}`;
    case 'proposes':
      return `P ${event.round}/${event.height} ${event.block}${to}`;
    case 'votes':
      return `v ${event.round}${to}`;
    case 'commit-votes':
      return `c ${event.round}${to}`;
    case 'gives-up':
      return `T ${event.round}${to}`;
    case 'certified':
      return `● ${event.round}`;
    case 'commits':
      return `■ ${event.height} ${event.block}`;
    case 'begins-instance':
      return `◇ ${event.epoch}`;
    case 'tells-certificates':
      return undefined;
  }
}

/** An event in words: what stands beside its mark. */
export function inWords(event: StoryEvent): string {
  const where = 'chain' in event ? `, in ${chainName(event.chain)}` : '';
  const to = 'to' in event && event.to !== undefined ? ` (to ${event.to} only)` : '';
  switch (event.kind) {
    case 'enters':
      return `enters round ${event.round}${where}`;
    case 'proposes':
      return `proposes ${event.block}, height ${event.height}, in round ${event.round} on ${event.parent}, ${event.transactions} transactions${where}${to}`;
    case 'votes':
      return `votes for ${event.block} in round ${event.round}${where}${to}`;
    case 'commit-votes':
      return `commit-votes for ${event.block} in round ${event.round}${where}${to}`;
    case 'gives-up':
      return `gives up on round ${event.round}, its highest QC being of round ${event.highestRound}${where}${to}`;
    case 'tells-certificates':
      return `tells its QC ${event.highestRound}, CC ${event.committedRound}${where}${to}`;
    case 'babbles':
      return `sends ${event.bytes} bytes that mean nothing${to}`;
    case 'certified':
      return `sees the QC of ${event.block}, height ${event.height}, round ${event.round}${where}`;
    case 'commits':
      return `commits ${event.block}, height ${event.height}, round ${event.round}${where}`;
    case 'begins-instance':
      return `begins the instance of epoch ${event.epoch}, above height ${event.height}${where}`;
    case 'starts':
      return '▲ starts';
    case 'ends':
      return `✗ ${event.how}`;
    case 'cannot-go-on':
      return `✗ cannot go on: ${event.detail}`;
    case 'world':
      return `${event.nodes.length} nodes`;
    case 'fault-begins':
      return `┌─ fault ${event.fault} begins: ${describeFault(event.what)}`;
    case 'fault-ends':
      return `└─ fault ${event.fault} ends`;
    case 'quiet':
      return '── all faults are over: from here on the chain must recover';
    case 'violation':
      return `✗✗ ${event.property} violated${event.node === undefined ? '' : ` at ${event.node}`}: ${event.detail}`;
  }
}

/** `slow-disk, node 3, syncMs 200`. */
export function describeFault({ kind, ...rest }: FaultKind): string {
  return [kind, ...Object.entries(rest).map(([key, value]) => `${key} ${describeValue(value)}`)].join(', ');
}

function describeValue(value: unknown): string {
  if (typeof value === 'number') return String(Math.round(value * 1_000) / 1_000);
  return Array.isArray(value) ? `[${value.join(' ')}]` : String(value);
}
