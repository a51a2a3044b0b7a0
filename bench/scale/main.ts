// npm run bench:scale: finality, bytes and processor time of committees of several sizes on a wide-area network, with and without a third of the
// validators silent, for votes that go to everybody (as built), to the next leader, and along a tree. What is measured, what is real and what is
// modelled: model.ts. With --shards: networks of shards and their beacon instead (shards/network.ts). Prints a table; with --svg FILE draws it, with
// --json the last line is one JSON object.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { installHashtree } from '../../src/runtime/native/ssz-hashtree.ts';
import { describeHardware } from '../devnet/resource-use.ts';
import { committeeInstance, MAINNET } from './committee.ts';
import { type Costs, measureCosts } from './costs.ts';
import { runScale, type ScaleFigures } from './model.ts';
import { drawScale } from './plot.ts';
import { drawStudy } from './shards/plot.ts';
import { runStudy } from './shards/study.ts';
import { describeRow, STUDY_HEADINGS } from './shards/table.ts';
import { VOTE_PATHS } from './votes.ts';

const SIZES = [4, 16, 64, 128, 400];
const SIZE_MIN = 4;
const SIZE_MAX = 1_000;
/** With committees of 16 that is as many validators as the beacon's committee may have. */
const SHARDS_MAX = 128;
const SEED = 1;

const USAGE = `usage: npm run bench:scale -- [options]

  --sizes ${SIZES.join(',')}   validators of each committee, ${SIZE_MIN} to ${SIZE_MAX}
  --blocks <n>            blocks of each run, instead of as many as the committee's size lets finish soon
  --healthy               no runs with silent validators
  --shards 1,2,4,8,16,32,64   instead of that, networks of so many shards, powers of two, one first; with
    --committee 16        validators of each shard, in no other one
    --beacon-interval ${MAINNET.beaconBlockIntervalMsMin}    ms between beacon blocks at least
    --shard-interval ${MAINNET.blockIntervalMsMin},500   ms between blocks of a shard at least: a table for each
    --seconds 30          of virtual time, after a warm-up
  --svg <file>            draw the figures
  --json                  print all figures as one JSON object in the last line`;

class UsageError extends Error {}

main().catch((error: unknown) => {
  console.error(`bench:scale: ${error instanceof UsageError ? `${error.message}\n\n${USAGE}` : (error as Error).stack}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) return console.log(USAGE);
  await installHashtree({ disableNative: false });
  console.log(Object.values(describeHardware()).join(', '));
  if (options.shards !== undefined) return studyShards({ ...options, shards: options.shards });
  const startMs = performance.now();
  const figures: ScaleFigures[] = [];
  const costs: Record<number, unknown> = {};
  for (const size of options.sizes) {
    const instance = committeeInstance(size);
    const ofSize = measureCosts(instance);
    costs[size] = plain(ofSize);
    console.log(`\n${size} validators; ms of a core: ${JSON.stringify(plain(ofSize))}\n${headings()}`);
    for (const silent of options.healthy ? [0] : [0, Math.floor((size - 1) / 3)]) {
      for (const path of VOTE_PATHS) {
        const blocks = options.blocks ?? blocksOf(size);
        const figure = runScale({ instance, silent, path, costs: ofSize, blocks, seed: SEED });
        figures.push(figure);
        console.log(rowOf(figure));
      }
    }
  }
  const seconds = Math.round((performance.now() - startMs) / 1_000);
  const processorSeconds = Math.round(process.cpuUsage().user / 1_000_000);
  console.log(`\n${seconds} s, ${processorSeconds} s of them on a core`);
  if (options.svg !== undefined) writeFileSync(options.svg, drawScale(figures));
  if (options.json)
    console.log(JSON.stringify({ benchmark: 'scale', hardware: describeHardware(), seconds, processorSeconds, costs, figures }, rounded));
}

async function studyShards({ svg, json, ...options }: Options & { readonly shards: readonly number[] }): Promise<void> {
  console.log(STUDY_HEADINGS);
  const study = await runStudy({ ...options, onRow: (row) => console.log(describeRow(row)) });
  if (svg !== undefined) writeFileSync(svg, drawStudy(study.rows));
  if (json) console.log(JSON.stringify({ benchmark: 'shards', hardware: describeHardware(), ...study }, rounded));
}

// Enough for a p99, and so few that the whole table takes minutes.
function blocksOf(size: number): number {
  return Math.max(10, Math.min(300, Math.round(4_000 / size)));
}

const COLUMNS: readonly (readonly [string, (figures: ScaleFigures) => string])[] = [
  ['silent', ({ silent }) => String(silent)],
  ['votes', ({ path }) => path],
  ['block→final p50/p99 ms', ({ blockMsP50, blockMsP99 }) => `${blockMsP50.toFixed(0)} / ${blockMsP99.toFixed(0)}`],
  ['sent→final p50/p99 ms', ({ transactionMsP50, transactionMsP99 }) => `${transactionMsP50.toFixed(0)} / ${transactionMsP99.toFixed(0)}`],
  ['kB sent/received a block', ({ sentKb, receivedKb }) => `${sentKb.toFixed(0)} / ${receivedKb.toFixed(0)}`],
  ['CPU ms a block', ({ cpuMs }) => cpuMs.toFixed(1)],
  ['busiest core', ({ busiestPercent }) => `${busiestPercent.toFixed(0)} %`],
  ['blocks/s', ({ blocksPerSecond }) => blocksPerSecond.toFixed(1)],
];

function headings(): string {
  return COLUMNS.map(([heading]) => heading.padEnd(25)).join('');
}

function rowOf(figures: ScaleFigures): string {
  return COLUMNS.map(([, of]) => of(figures).padEnd(25)).join('');
}

function plain({ verifyBatch, verifyPartial: _byShare, ...costs }: Costs): Readonly<Record<string, number>> {
  const all = { ...costs, verifyOne: verifyBatch(1), verifyBatchOf64: verifyBatch(64) };
  return Object.fromEntries(Object.entries(all).map(([name, ms]) => [name, Number(ms.toPrecision(3))]));
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(4)) : value;
}

type Options = NonNullable<ReturnType<typeof readOptions>>;

function readOptions() {
  const values = parse();
  if (values.help) return undefined;
  const sizes = values.sizes === undefined ? SIZES : values.sizes.split(',').map((text) => whole('sizes', text, SIZE_MIN, SIZE_MAX));
  const blocks = values.blocks === undefined ? undefined : whole('blocks', values.blocks, 1, 10_000);
  const shards = values.shards?.split(',').map((text) => whole('shards', text, 1, SHARDS_MAX));
  if (shards !== undefined && (shards[0] !== 1 || shards.some((count) => 2 ** Math.round(Math.log2(count)) !== count)))
    throw new UsageError(`--shards takes powers of two, one first, got "${values.shards}"`);
  return {
    sizes,
    blocks,
    healthy: values.healthy,
    shards,
    committee: whole('committee', values.committee, SIZE_MIN, SIZE_MAX),
    beaconIntervalMs: whole('beacon-interval', values['beacon-interval'], 1, 60_000),
    shardIntervalsMs: values['shard-interval'].split(',').map((text) => whole('shard-interval', text, 1, 60_000)),
    seconds: whole('seconds', values.seconds, 1, 3_600),
    svg: values.svg,
    json: values.json,
  };
}

function whole(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new UsageError(`--${option} takes whole numbers from ${min} to ${max}, got "${text}"`);
  return value;
}

function parse() {
  try {
    return parseArgs({
      options: {
        sizes: { type: 'string' },
        blocks: { type: 'string' },
        healthy: { type: 'boolean', default: false },
        shards: { type: 'string' },
        committee: { type: 'string', default: '16' },
        'beacon-interval': { type: 'string', default: String(MAINNET.beaconBlockIntervalMsMin) },
        'shard-interval': { type: 'string', default: `${MAINNET.blockIntervalMsMin},500` },
        seconds: { type: 'string', default: '30' },
        svg: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
