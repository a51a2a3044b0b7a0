// Whole nodes under faults drawn from seeds: a fixed number of schedules, the bugs that were found, and that a seed says everything.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { before, describe, it } from 'node:test';
import { readPreset } from '../../src/node/genesis-file.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { FAULT_KINDS } from '../../src/simulation/faults.ts';
import { planOfScenario, REGRESSIONS } from '../../src/simulation/scenarios.ts';
import { runSchedule } from '../../src/simulation/schedule.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { runSwarm, type SwarmSummary } from '../../src/simulation/swarm.ts';
import { prepareHashes } from './hashes.ts';

const FIRST_SEED = 1_000;
/** Run twice: their event logs must be the same in two processes, and over one worker and two. */
const TWICE = 100;
const ONCE = 200;
/** Shorter than what is usual for one schedule, so that there are more. */
const FAULT_SECONDS = 4;
/** Of what clients send, calls of contracts and creations. */
const CALLS_MIN = 0.3;
const MAIN = 'src/simulation/main.ts';

type Figures = SwarmSummary & Readonly<Record<'seconds' | 'workers' | 'eventsPerSecond' | 'timesRealTime', number>>;

/** What the command says of schedules, with its exit code. */
function simulate(firstSeed: number, schedules: number, workers: number): Promise<Figures & { readonly status: number | null }> {
  const numbers = { seed: firstSeed, schedules, workers, 'fault-seconds': FAULT_SECONDS };
  const options = Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const child = spawn(process.execPath, [MAIN, ...options, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ ...(JSON.parse(output.trim().split('\n').at(-1) ?? '') as Figures), status }));
  });
}

// All that is not a matter of real time.
function timeless({ seconds: _s, workers: _w, eventsPerSecond: _e, timesRealTime: _t, ...rest }: Figures) {
  return rest;
}

function sumOf<K extends string>(a: Readonly<Record<K, number>>, b: Readonly<Record<K, number>>): [K, number][] {
  return (Object.keys(a) as K[]).map((key) => [key, a[key] + b[key]]);
}

describe('whole nodes under a swarm of faults and dishonest validators', () => {
  before(() => prepareHashes());

  it(`keep every property in ${TWICE + ONCE} schedules from seed ${FIRST_SEED}, and a seed says everything`, async () => {
    const [twice, again] = await Promise.all([simulate(FIRST_SEED, TWICE, 1), simulate(FIRST_SEED, TWICE, 2)]);
    assert.deepEqual(timeless(again), timeless(twice));
    const once = await simulate(FIRST_SEED + TWICE, ONCE, 2);
    for (const { status, violations, medianBlocks, medianFaults, medianFaultKinds, transactions, calls } of [twice, once]) {
      assert.deepEqual(violations, []);
      assert.equal(status, 0);
      assert.ok(calls >= CALLS_MIN * transactions, `${calls} of ${transactions} are to contracts`);
      assert.ok(medianBlocks >= 20, `${medianBlocks} blocks`);
      assert.ok(medianFaults >= 3 && medianFaultKinds >= 2, `${medianFaults} faults of ${medianFaultKinds} kinds`);
    }
    const schedules = twice.schedules + once.schedules;
    assert.equal(schedules, TWICE + ONCE);
    const injected = sumOf(twice.injected, once.injected);
    const links = sumOf(twice.links, once.links);
    const dishonest = sumOf(twice.dishonest, once.dishonest);
    console.log(`medians of blocks ${twice.medianBlocks} and ${once.medianBlocks}; ${JSON.stringify({ injected, dishonest, links })}`);
    for (const [strategy, count] of dishonest) assert.ok(count >= schedules / 50, `${strategy} came ${count} times`);
    for (const [kind, count] of links) assert.ok(count >= schedules / 10, `${kind} links came ${count} times`);
    for (const [kind, count] of injected)
      assert.ok(!(FAULT_KINDS as readonly string[]).includes(kind) || count >= schedules / 10, `${kind} came ${count} times`);
  });

  it('keep every property with seven nodes, and with real signatures', async () => {
    const options = { preset: readPreset('devnet'), mayGoOn: () => true, onReport: () => undefined };
    const seven = await runSwarm({ ...options, firstSeed: 1, schedules: 8, nodes: 7, crypto: standInCrypto });
    assert.deepEqual(seven.violations, []);
    const real = await runSwarm({ ...options, firstSeed: 1, schedules: 2, nodes: 4, crypto: () => selectCrypto({ disableNative: false }) });
    assert.deepEqual(real.violations, []);
  });

  for (const scenario of REGRESSIONS) {
    it(`do not fail again where ${scenario.about} (${scenario.name})`, async () => {
      const report = await runSchedule({ ...planOfScenario(scenario), crypto: standInCrypto(), preset: readPreset('devnet') });
      assert.equal(report.violation, undefined);
    });
  }

  it('find the violation when there is one: a disk that says it has synced and has not', async () => {
    const faults = [0, 1, 2, 3].map((node) => ({
      fromMs: 1_500,
      forMs: 500,
      what: { kind: 'crash', node, end: 'power-lost', trigger: 'at-once' } as const,
    }));
    const report = await runSchedule({ seed: 5, nodes: 4, crypto: standInCrypto(), preset: readPreset('devnet'), faults, disksLie: true });
    assert.equal(report.violation?.property, 'durability', JSON.stringify(report.violation));
  });
});

describe('npm run simulate', () => {
  const run = (...args: readonly string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
  const lastLine = (text: string): unknown => JSON.parse(text.trim().split('\n').at(-1) ?? '');

  it('writes the same event log for a seed in every process, and another for another', () => {
    const [first, again, other] = ['7', '7', '8'].map((seed) => run('--seed', seed, '--schedules', '1', '--json'));
    const hashes = [first, again, other].map((each) => (lastLine(each?.stdout ?? '') as { eventLogHash: string }).eventLogHash);
    assert.equal(hashes[0], hashes[1]);
    assert.notEqual(hashes[0], hashes[2]);
    assert.equal(first?.status, 0, first?.stderr);
  });

  it('refuses what makes no sense, with the options and an exit code that is not 0', () => {
    for (const args of [
      ['--nodes', '3'],
      ['--nodes', 'x'],
      ['--seed', '-1'],
      ['--scenario', 'x'],
      ['--crypto', 'x'],
      ['--minutes', '0'],
      ['-x'],
    ]) {
      const { status, stderr } = run(...args);
      assert.equal(status, 2, args.join(' '));
      assert.match(stderr, /^simulate: .*\n\nusage: /s, args.join(' '));
    }
  });
});
