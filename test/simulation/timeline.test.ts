// What people see of a schedule: the story in its log, as text and as a page.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { Script } from 'node:vm';
import { PLAIN_SHAPE } from '../../src/simulation/chain-shape.ts';
import type { SchedulePlan } from '../../src/simulation/plan.ts';
import { type ScheduleReport, START_MS } from '../../src/simulation/schedule.ts';
import { prepareJobs } from '../../src/simulation/schedule-job.ts';
import { timelinePage } from '../../src/simulation/timeline/page.ts';
import { readStory, type StoryEntry } from '../../src/simulation/timeline/story.ts';
import { timelineText } from '../../src/simulation/timeline/text.ts';
import { interestingWindow } from '../../src/simulation/timeline/window.ts';

const PAGE = join(import.meta.dirname, '../../src/simulation/timeline');
const styleSheet = readFileSync(join(PAGE, 'in-browser.css'), 'utf8');
const script = readFileSync(join(PAGE, 'in-browser.js'), 'utf8');

const FAULTS = [
  { fromMs: 900, forMs: 400, what: { kind: 'crash', node: 3, end: 'power-lost', trigger: 'at-once' } as const },
  { fromMs: 200, forMs: 300, what: { kind: 'loss', share: 0.1 } as const },
];
const shape = PLAIN_SHAPE;
const LYING: SchedulePlan = {
  seed: 2,
  nodes: 4,
  shape,
  disksLie: true,
  faults: FAULTS.map((fault) => ({ ...fault, fromMs: 2 * fault.fromMs })),
  dishonest: [{ validator: 1, strategy: 'twin' }],
};
const GOOD: SchedulePlan = { seed: 5, nodes: 4, shape, faultsUntilMs: 1_500, faults: FAULTS, dishonest: [] };

const pageOf = (story: readonly StoryEntry[], title = 'a schedule'): string =>
  timelinePage({ story, title, about: ['about <it>'], folded: [{ summary: 'more', text: 'a < b' }], styleSheet, script });

// The data in a page, as its script reads it.
const dataOf = (page: string) => {
  const [, json = ''] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page) ?? [];
  return JSON.parse(json) as {
    lanes: { name: string; role: string }[];
    marks: { atMs: number; lane: number; kind: string; chain?: number; block?: string; parent?: string }[];
    faults: { fromMs: number; toMs: number; kind: string; lanes: number[] }[];
    downs: { fromMs: number; toMs: number; lanes: number[] }[];
    violation?: { atMs: number; lane: number; text: string };
    leftOut: number;
  };
};

describe('the story of a schedule', () => {
  let lying: ScheduleReport;
  let good: ScheduleReport;
  before(async () => {
    const run = await prepareJobs();
    lying = await run({ plan: LYING, crypto: 'stand-in' });
    good = await run({ plan: GOOD, crypto: 'stand-in' });
  });
  const storyOf = ({ eventLog }: ScheduleReport): readonly StoryEntry[] => readStory(eventLog, START_MS);

  it('says who proposed, voted, saw a certificate and committed what', () => {
    const story = storyOf(good);
    const first = story.find(({ event }) => event.kind === 'commits');
    assert.equal(first?.event.kind, 'commits');
    const { block } = first.event as { block: string };
    const about = story.filter(({ event }) => 'block' in event && event.block === block).map(({ event }) => event.kind);
    assert.equal(about[0], 'proposes');
    for (const kind of ['votes', 'commit-votes', 'certified'] as const) assert.ok(about.filter((each) => each === kind).length >= 3, kind);
    assert.equal(about.filter((kind) => kind === 'commits').length, 4);
    // Each node's commits of a chain are of rising heights, and end where the chain does.
    for (const chain of [0, 1]) {
      const commits = story.flatMap(({ who, event }) => (who === 'node-0' && event.kind === 'commits' ? [event] : []));
      const heights = commits.filter((event) => event.chain === chain).map(({ height }) => height);
      assert.deepEqual(
        heights,
        heights.toSorted((a, b) => a - b),
      );
      assert.ok((heights.at(-1) ?? 0) >= (good.heights[chain] ?? 0) - 1);
    }
  });

  it('names the chain of each event, and the instances that follow each other', async () => {
    const run = await prepareJobs();
    const turning = { ...PLAIN_SHAPE, layout: [2, 3], epochBlocks: 8, beaconIntervalMs: 250 };
    const report = await run({ plan: { ...GOOD, faults: [], faultsUntilMs: 4_000, shape: turning }, crypto: 'stand-in' });
    assert.equal(report.violation, undefined);
    const story = storyOf(report);
    for (const chain of [0, 2, 3])
      for (const kind of ['commits', 'begins-instance'])
        assert.ok(
          story.some(({ event }) => event.kind === kind && 'chain' in event && event.chain === chain),
          `${kind} of chain ${chain}`,
        );
    const text = timelineText(story, { isWhole: true, linesMax: 100_000 }).join('\n');
    for (const mark of ['b ■ ', 's2 ■ ', 's3 P ', 'b ◇ 1', 's3 ◇ 1']) assert.ok(text.includes(mark), mark);
  });

  it('says when faults began and ended, and when a node ended and started', () => {
    const kinds = storyOf(good).map(({ event }) => event.kind);
    const count = (kind: string): number => kinds.filter((each) => each === kind).length;
    assert.deepEqual([count('fault-begins'), count('fault-ends'), count('ends'), count('starts'), count('quiet')], [2, 2, 1, 1, 1]);
  });

  it('is told in columns, the violation last', () => {
    const lines = timelineText(storyOf(lying), { isWhole: false, linesMax: 400 });
    for (const name of ['node-0', 'node-1 (twin)', 'node-2', 'node-3', 'node-1-twin (twin)'])
      assert.ok(
        lines.some((line) => line.includes(name)),
        name,
      );
    const text = lines.join('\n');
    assert.match(text, /fault 0 begins: crash, node 3, end power-lost, trigger at-once/);
    assert.match(text, /✗ power-lost/);
    assert.match(text, /✗✗ durability violated at node-3: /);
    assert.ok(lines.every((line) => line.length < 400));
  });

  it('is shortened to so many lines, and says so', () => {
    const lines = timelineText(storyOf(good), { isWhole: true, linesMax: 10 });
    assert.ok(lines.length < 20, `${lines.length} lines`);
    assert.match(lines.at(-1) ?? '', /^\(\d+ lines in the middle are not shown\)$/);
  });

  it('has a window that ends with the violation', () => {
    const story = storyOf(lying);
    const { fromMs, toMs } = interestingWindow(story);
    assert.equal(toMs, lying.violation?.atMs);
    assert.ok(fromMs < toMs - 300 && fromMs >= 0);
  });

  it('has, of a chain that stands still, a window about what stopped it', () => {
    const [world] = storyOf(good);
    const at = (atMs: number, who: string, event: StoryEntry['event']): StoryEntry => ({ atMs, who, event });
    const rounds = Array.from({ length: 50 }, (_unused, round) =>
      at(5_000 + 1_000 * round, 'node-0', { kind: 'gives-up', chain: 1, round, highestRound: 0 }),
    );
    const story = [
      ...(world === undefined ? [] : [world]),
      at(3_000, 'node-0', { kind: 'commits', chain: 1, round: 1, height: 1, block: 'aa' }),
      ...rounds,
      at(60_000, 'world', { kind: 'violation', property: 'liveness', detail: 'nothing goes on' }),
    ];
    const { fromMs, toMs } = interestingWindow(story);
    assert.ok(fromMs < 3_000 && toMs > 5_000 && toMs < 10_000, `${fromMs} to ${toMs}`);
    assert.match(timelineText(story, { isWhole: false, linesMax: 100 }).join('\n'), /✗✗ liveness violated: nothing goes on/);
  });

  it('becomes a page of one file with a lane for each node, its faults, and the violation', () => {
    const page = pageOf(storyOf(lying));
    const { lanes, marks, faults, downs, violation, leftOut } = dataOf(page);
    for (const name of ['node-0', 'node-1', 'node-2', 'node-3', 'node-1-twin']) assert.ok(page.includes(`<li data-lane="${name}">`), name);
    assert.deepEqual(
      lanes.map(({ role }) => role),
      ['', 'twin', '', '', 'twin'],
    );
    assert.deepEqual(
      faults.map(({ kind, lanes: struck }) => [kind, struck]),
      [
        ['loss', []],
        ['crash', [3]],
      ],
    );
    assert.deepEqual(
      downs.map(({ lanes: struck }) => struck),
      [[3]],
    );
    assert.equal(violation?.lane, 3);
    assert.equal(violation.atMs, lying.violation?.atMs);
    assert.equal(leftOut, 0);
    // Every block that somebody proposed has a link to its parent, but for the first of each chain.
    const proposed = new Set(marks.filter(({ kind }) => kind === 'proposes').map(({ block }) => block));
    const orphans = marks.filter(({ kind, parent }) => kind === 'proposes' && !proposed.has(parent));
    assert.ok(new Set(orphans.map(({ parent }) => parent)).size === 2, JSON.stringify(orphans));
  });

  it('becomes a page that needs no network, and whose script is one', () => {
    const page = pageOf(storyOf(lying), 'a </script> & "title"');
    assert.doesNotMatch(page.replaceAll('http://www.w3.org/2000/svg', ''), /https?:|src=|@import|url\(|fetch\(/);
    assert.equal([...page.matchAll(/<script/g)].length, 2);
    const scripts = [...page.matchAll(/<script>(.*?)<\/script>/gs)].map(([, text]) => text ?? '');
    assert.equal(scripts.length, 1);
    assert.ok(new Script(scripts[0] ?? '') instanceof Script);
    assert.match(page, /<title>a &lt;\/script&gt; &amp; &quot;title&quot;<\/title>/);
  });

  it('becomes a page of bounded size, however long the run: votes go first, and it says how many', () => {
    const story = storyOf(good);
    const [world] = story;
    const rest = story.slice(1);
    const many = Array.from({ length: 200 }, (_unused, turn) =>
      rest.map((entry) => ({ ...entry, atMs: entry.atMs + turn * 10_000 })),
    ).flat();
    const { marks, leftOut } = dataOf(pageOf([...(world === undefined ? [] : [world]), ...many]));
    assert.ok(marks.length <= 30_000 && leftOut > 0, `${marks.length} marks, ${leftOut} left out`);
    const kept = (kind: string): number => marks.filter((mark) => mark.kind === kind).length;
    assert.equal(kept('proposes'), many.filter(({ event }) => event.kind === 'proposes').length);
    assert.ok(kept('votes') < many.filter(({ event }) => event.kind === 'votes').length);
  });
});
