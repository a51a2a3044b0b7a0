// What the options of npm run simulate say about schedules: as a plan for each seed, which the options that are printed give again.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { readPreset } from '../../src/node/genesis-file.ts';
import { STRATEGIES } from '../../src/simulation/adversaries/strategies.ts';
import { readOptions } from '../../src/simulation/command-line.ts';
import { dishonestOfSeed, faultsOfSeed, shapeOfSeed } from '../../src/simulation/draws.ts';
import { FAULT_KINDS } from '../../src/simulation/faults.ts';
import { readPlan, writePlan } from '../../src/simulation/plan.ts';
import { FAULTS_UNTIL_MS, runSchedule } from '../../src/simulation/schedule.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { prepareHashes } from './hashes.ts';

describe('a choice of faults and strategies', () => {
  const planOf = (...args: readonly string[]) => readOptions(args)?.planOf(7);

  it('is drawn from the seed, the same in any order, and as without it when all are chosen', () => {
    const chosen = planOf('--faults', 'loss,crash', '--strategies', 'twin, silent', '--nodes', '7');
    assert.deepEqual(planOf('--strategies', 'silent,twin', '--nodes', '7', '--faults', 'crash,loss'), chosen);
    for (const { what } of chosen?.faults ?? []) assert.ok(['crash', 'loss'].includes(what.kind), what.kind);
    assert.ok((chosen?.faults?.length ?? 0) >= 3);
    assert.deepEqual(planOf('--faults', FAULT_KINDS.join(',')), { seed: 7, nodes: 4, faults: faultsOfSeed(7, 4, FAULTS_UNTIL_MS) });
    assert.deepEqual(planOf('--strategies', STRATEGIES.join(',')), { seed: 7, nodes: 4, dishonest: dishonestOfSeed(7, 4) });
  });

  it('may be none, and goes with another time and with a scenario that leaves it open', () => {
    assert.deepEqual(planOf('--faults', 'none', '--strategies', 'none'), { seed: 7, nodes: 4, faults: [], dishonest: [] });
    const short = planOf('--faults', 'partition', '--fault-seconds', '2');
    for (const { fromMs, forMs } of short?.faults ?? []) assert.ok(fromMs + forMs <= 2_000);
    assert.deepEqual(planOf('--scenario', 'rotten-signing-record', '--strategies', 'none')?.dishonest, []);
  });

  it('is of less time under faults where the seed says more shards, in a scenario of as much as it says', () => {
    const layout = (seed: number) => shapeOfSeed({ seed, nodes: 4 }, dishonestOfSeed(seed, 4).length).layout;
    assert.equal(layout(2).length, 2);
    const options = readOptions(['--fault-seconds', '4', '--faults', 'crash']);
    const [two, one] = [2, 7].map((seed) => options?.planOf(seed));
    assert.deepEqual([two?.faultsUntilMs, one?.faultsUntilMs], [3_000, 4_000]);
    for (const { fromMs, forMs } of two?.faults ?? []) assert.ok(fromMs + forMs <= 3_000);
    assert.equal(readOptions([])?.planOf(2).faultsUntilMs, (FAULTS_UNTIL_MS * 3) / 4);
    assert.equal(readOptions(['--scenario', 'rotten-signing-record'])?.planOf(2).faultsUntilMs, undefined);
  });

  it('is said again in the options that repeat a schedule', () => {
    const again = readOptions(['--faults', 'loss,crash', '--strategies', 'none', '--fault-seconds', '3'])?.again(9);
    assert.equal(again, '--seed 9 --schedules 1 --nodes 4 --fault-seconds 3 --faults crash,loss --strategies none');
    assert.equal(readOptions(again?.split(' ') ?? [])?.again(9), again);
  });

  it('is as free for clocks and links, and for more nodes than a scenario has', async () => {
    const options = readOptions([
      '--scenario',
      'silent-peer-while-behind',
      '--nodes',
      '7',
      '--clocks',
      'wrong',
      '--links',
      'heavy-tailed',
      '--latency-ms',
      '12',
    ]);
    const plan = options?.planOf(105);
    assert.ok(options !== undefined && plan !== undefined);
    assert.deepEqual([plan.nodes, plan.exactClocks, plan.links], [7, false, { kind: 'heavy-tailed', latencyMs: 12 }]);
    assert.deepEqual(readPlan('the plan', writePlan({ plan, crypto: 'stand-in', about: '' })).plan, plan, 'it can be written down');
    const again = options.again(105);
    assert.match(again, /--nodes 7 --scenario silent-peer-while-behind --clocks wrong --links heavy-tailed --latency-ms 12$/);
    assert.deepEqual(readOptions(again.split(' '))?.planOf(105), plan);
    assert.deepEqual(readOptions(['--clocks', 'exact', '--links', 'wan'])?.planOf(7), {
      seed: 7,
      nodes: 4,
      exactClocks: true,
      links: { kind: 'wan' },
    });
    await prepareHashes();
    const { violation, links, heights } = await runSchedule({ ...plan, crypto: standInCrypto(), preset: readPreset('devnet') });
    assert.deepEqual([violation, links], [undefined, 'heavy-tailed']);
    assert.ok((heights[1] ?? 0) > 10);
  });

  it('is all that a run injects', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        'src/simulation/main.ts',
        '--faults',
        'duplicates',
        '--strategies',
        'stale',
        '--fault-seconds',
        '0.5',
        '--schedules',
        '4',
        '--workers',
        '1',
        '--json',
      ],
      { encoding: 'utf8' },
    );
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^4 schedules of 4 nodes, faults duplicates, strategies stale from seed 1/);
    const { injected, dishonest } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Readonly<
      Record<string, Readonly<Record<string, number>>>
    >;
    const namesIn = (counts: Readonly<Record<string, number>> = {}) => Object.keys(counts).filter((name) => counts[name] !== 0);
    assert.deepEqual(namesIn(injected), ['duplicates']);
    assert.deepEqual(namesIn(dishonest), ['stale']);
  });
});
