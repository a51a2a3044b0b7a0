// A failing schedule becomes a small one that fails alike, the same each time; and a schedule can be written down and read again.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { isError } from '../../src/core/primitives/errors.ts';
import { PLAIN_SHAPE } from '../../src/simulation/chain-shape.ts';
import { shapeOfSeed } from '../../src/simulation/draws.ts';
import { drawFaults, FAULT_KINDS } from '../../src/simulation/faults.ts';
import { impossibilityOf, readPlan, type SchedulePlan, writePlan } from '../../src/simulation/plan.ts';
import { SeededRandom } from '../../src/simulation/random.ts';
import type { ScheduleReport } from '../../src/simulation/schedule.ts';
import { prepareJobs, type RunJob } from '../../src/simulation/schedule-job.ts';
import { shrink } from '../../src/simulation/shrink.ts';

/** Disks that lie about having synced: what was shown as final is lost with the power. */
const LYING: SchedulePlan = {
  seed: 5,
  nodes: 5,
  shape: { layout: [2, 3], epochBlocks: 12, beaconIntervalMs: 400 },
  disksLie: true,
  faultsUntilMs: 900,
  transactionsPerSecond: 10,
  dishonest: [{ validator: 1, strategy: 'babbling' }],
  faults: [
    { fromMs: 100, forMs: 300, what: { kind: 'reordering', jitterMs: 40 } },
    { fromMs: 150, forMs: 200, what: { kind: 'one-way', from: 0, to: 2 } },
    { fromMs: 600, forMs: 100, what: { kind: 'crash', node: 3, end: 'power-lost', trigger: 'while-writing' } },
  ],
};
/** The same of the fewest nodes and chains already. */
const SHORT: SchedulePlan = {
  seed: 1,
  nodes: 4,
  shape: PLAIN_SHAPE,
  disksLie: true,
  faultsUntilMs: 900,
  dishonest: [],
  faults: [
    { fromMs: 100, forMs: 200, what: { kind: 'duplicates', share: 0.2 } },
    { fromMs: 600, forMs: 100, what: { kind: 'crash', node: 3, end: 'power-lost', trigger: 'at-once' } },
    { fromMs: 300, forMs: 300, what: { kind: 'loss', share: 0.02 } },
  ],
};
const RUNS_MAX = 120;

describe('shrinking a failure', () => {
  let runJob: RunJob;
  before(async () => {
    runJob = await prepareJobs();
  });
  const run = (plan: SchedulePlan): Promise<ScheduleReport> => runJob({ plan, crypto: 'stand-in' });

  it('leaves the one fault that matters, of the fewest chains and nodes, and the same violation', async () => {
    const found = await run(LYING);
    assert.equal(found.violation?.property, 'durability', JSON.stringify(found.violation));
    assert.ok(found.faults.length >= 3, `${found.faults.length} faults`);
    const { plan, report, runs, ended } = await shrink(LYING, found, { run, runsMax: RUNS_MAX, mayGoOn: () => true });
    assert.equal(ended, 'nothing-smaller');
    assert.ok(runs <= RUNS_MAX);
    assert.equal(report.violation?.property, 'durability');
    assert.deepEqual(
      plan.faults?.map(({ what }) => what.kind),
      ['crash'],
    );
    assert.equal(plan.nodes, 4);
    assert.deepEqual(plan.shape, PLAIN_SHAPE);
    assert.deepEqual(plan.dishonest, []);
    assert.ok(report.events < found.events, `${report.events} events of ${found.events}`);
    // What is written is what fails.
    const again = readPlan('the test', writePlan({ plan, crypto: 'stand-in', about: '' }));
    assert.deepEqual(again.plan, plan);
    assert.equal((await run(again.plan)).eventLogHash, report.eventLogHash);
  });

  it('is the same each time', async () => {
    const found = await run(SHORT);
    const options = { run, runsMax: 12, mayGoOn: () => true };
    const [first, second] = [await shrink(SHORT, found, options), await shrink(SHORT, found, options)];
    assert.deepEqual(first.plan, second.plan);
    assert.equal(first.runs, 12);
    assert.equal(first.ended, 'runs');
  });

  it('stops when the time is over, with what it has', async () => {
    const found = await run(SHORT);
    let asked = 0;
    const { plan, runs, ended } = await shrink(SHORT, found, { run, runsMax: RUNS_MAX, mayGoOn: () => ++asked <= 1 });
    assert.deepEqual({ runs, ended }, { runs: 1, ended: 'time' });
    assert.ok((plan.faults?.length ?? 0) <= found.faults.length);
  });

  it('keeps nothing that shows another property, or nothing', async () => {
    const found = await run(SHORT);
    const other = async (plan: SchedulePlan): Promise<ScheduleReport> => {
      const report = await run(plan);
      return { ...report, violation: report.violation === undefined ? undefined : { ...report.violation, property: 'bounds' } };
    };
    const { plan } = await shrink(SHORT, found, { run: other, runsMax: 10, mayGoOn: () => true });
    assert.deepEqual(plan, SHORT);
  });
});

describe('a written schedule', () => {
  it('is read as it was written, with faults of every kind', () => {
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9));
    console.log(`SEED=${seed}`);
    const kinds = new Set<string>();
    for (let offset = 0; offset < 60; offset++) {
      const faults = drawFaults(new SeededRandom(seed + offset, 'faults'), 7, 12, 7_000);
      for (const { what } of faults) kinds.add(what.kind);
      const plan: SchedulePlan = {
        seed,
        nodes: 7,
        faults,
        dishonest: [{ validator: 2, strategy: 'twin' }],
        faultsUntilMs: 7_000,
        exactClocks: true,
        shape: shapeOfSeed({ seed: seed + offset, nodes: 7 }, 1),
      };
      assert.deepEqual(readPlan('the test', writePlan({ plan, crypto: 'real', about: 'x' })), { plan, crypto: 'real', about: 'x' });
    }
    assert.deepEqual([...kinds].sort(), [...FAULT_KINDS].sort());
  });

  const crash = { kind: 'crash', node: 0, end: 'killed', trigger: 'at-once' };
  const refused: readonly (readonly [string, unknown, RegExp])[] = [
    ['no schedule', [], /the whole/],
    ['another format', { format: 'x', plan: { seed: 1, nodes: 4 } }, /format/],
    ['no seed', { plan: { nodes: 4 } }, /plan\.seed/],
    ['too few nodes', { plan: { seed: 1, nodes: 3 } }, /plan\.nodes/],
    ['a word too many', { plan: { seed: 1, nodes: 4, chaos: true } }, /chaos/],
    [
      'a fault of no kind',
      { plan: { seed: 1, nodes: 4, faults: [{ fromMs: 0, forMs: 1, what: { kind: 'x' } }] } },
      /plan\.faults\.0\.what: a fault is one of crash/,
    ],
    [
      'half a fault',
      { plan: { seed: 1, nodes: 4, faults: [{ fromMs: 0, forMs: 1, what: { kind: 'crash', node: 0 } }] } },
      /plan\.faults\.0\.what\.end/,
    ],
    ['a moment before the start', { plan: { seed: 1, nodes: 4, faults: [{ fromMs: -1, forMs: 1, what: crash }] } }, /faults\.0\.fromMs/],
    [
      'a node that is not there',
      { plan: { seed: 1, nodes: 4, faults: [{ fromMs: 0, forMs: 1, what: { ...crash, node: 4 } }] } },
      /no node 4 among 4/,
    ],
    [
      'a fault after the usual end',
      { plan: { seed: 1, nodes: 4, faults: [{ fromMs: 6_990, forMs: 20, what: crash }] } },
      /faultsUntilMs is 7000/,
    ],
    [
      'a fault after the end of all',
      { plan: { seed: 1, nodes: 4, faultsUntilMs: 100, faults: [{ fromMs: 90, forMs: 20, what: crash }] } },
      /faultsUntilMs is 100/,
    ],
    [
      'half a layout',
      { plan: { seed: 1, nodes: 4, shape: { ...PLAIN_SHAPE, layout: [2] } } },
      /plan\.shape\.layout: the shards must be the whole tree/,
    ],
    ['too short an epoch', { plan: { seed: 1, nodes: 4, shape: { ...PLAIN_SHAPE, epochBlocks: 3 } } }, /plan\.shape\.epochBlocks/],
    [
      'a validator that is not there',
      { plan: { seed: 1, nodes: 4, dishonest: [{ validator: 9, strategy: 'twin' }] } },
      /there are 4 validators/,
    ],
    [
      'a validator of two minds',
      {
        plan: {
          seed: 1,
          nodes: 4,
          dishonest: [
            { validator: 1, strategy: 'twin' },
            { validator: 1, strategy: 'silent' },
          ],
        },
      },
      /has one strategy/,
    ],
  ];
  for (const [what, content, told] of refused) {
    it(`is refused with ${what}`, () => {
      const file = Array.isArray(content) ? content : { format: 'coppice-schedule/1', ...(content as object) };
      assert.throws(
        () => readPlan('a.json', JSON.stringify(file)),
        (error) => isError(error, 'simulation/bad-plan') && error.facts.source === 'a.json' && told.test(error.facts.detail),
      );
    });
  }

  it('is refused when it is no JSON', () => {
    assert.throws(() => readPlan('a.json', '{'), { code: 'simulation/bad-plan' });
  });

  it('may have everything drawn from its seed', () => {
    assert.equal(impossibilityOf({ seed: 1, nodes: 4 }), undefined);
  });
});
