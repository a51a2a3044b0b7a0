// Plans that could be run and never judged, each with its reason; and that nothing which the swarm or a scenario makes is one of them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isError } from '../../src/core/primitives/errors.ts';
import { STRATEGIES, type Strategy } from '../../src/simulation/adversaries/strategies.ts';
import { dishonestOfSeed, faultsOfSeed } from '../../src/simulation/draws.ts';
import { type DrawnKind, FAULT_KINDS, type FaultKind } from '../../src/simulation/faults.ts';
import { impossibilityOf, readPlan, type SchedulePlan, writePlan } from '../../src/simulation/plan.ts';
import { planOfScenario, REGRESSIONS } from '../../src/simulation/scenarios.ts';
import { FAULTS_UNTIL_MS } from '../../src/simulation/schedule.ts';

const SEEDS = 500;

const FOUR: SchedulePlan = { seed: 1, nodes: 4 };
const struckBy = (what: FaultKind, fromMs = 100, forMs = 200): SchedulePlan => ({
  ...FOUR,
  dishonest: [],
  faults: [{ fromMs, forMs, what }],
});
const parted = (...minority: readonly number[]): SchedulePlan => struckBy({ kind: 'partition', minority, isSeen: true });
const cast = (strategy: Strategy, ...validators: readonly number[]): SchedulePlan => ({
  ...FOUR,
  faults: [],
  dishonest: validators.map((validator) => ({ validator, strategy })),
});

describe('a plan that cannot be judged', () => {
  const refused: readonly (readonly [string, SchedulePlan, string, RegExp])[] = [
    ['all validators silent', cast('silent', 0, 1, 2, 3), 'plan.dishonest', /nobody is honest/],
    ['all dishonest beyond a third', { ...cast('twin', 0, 1, 2, 3), isBeyondThird: true }, 'plan.dishonest', /nobody is honest/],
    ['two of four silent', cast('silent', 1, 2), 'plan.dishonest', /2 of 4 are dishonest.*name 1 at most/],
    ['a third of six dishonest', { ...cast('twin', 1, 2), nodes: 6 }, 'plan.dishonest', /2 of 6 are dishonest.*name 1 at most/],
    ['beyond a third with nobody dishonest', { ...cast('twin'), isBeyondThird: true }, 'plan.isBeyondThird', /0 of 4 are named; name 2/],
    ['beyond a third with those of the seed', { ...FOUR, isBeyondThird: true }, 'plan.isBeyondThird', /name 2 or more in dishonest/],
    ['beyond a third with fewer', { ...cast('twin', 3), isBeyondThird: true }, 'plan.isBeyondThird', /1 of 4 are named/],
    ['a validator that is not there', cast('silent', 4), 'plan.dishonest', /there are 4 validators/],
    ['a validator below 0', cast('silent', -1), 'plan.dishonest', /there are 4 validators/],
    ['a validator of two minds', cast('silent', 1, 1), 'plan.dishonest', /has one strategy/],
    ['a partition of nobody', parted(), 'plan.faults.0.what', /nobody is on one side/],
    ['a partition of everybody', parted(0, 1, 2, 3), 'plan.faults.0.what', /everybody is on one side/],
    ['a partition that names a node twice', parted(0, 0), 'plan.faults.0.what', /named twice/],
    ['a partition of a node that is not there', parted(0, 4), 'plan.faults.0.what', /no node 4 among 4; name nodes from 0 to 3/],
    [
      'a partition that never heals',
      struckBy({ kind: 'partition', minority: [0, 1], isSeen: false }, 1_000, FAULTS_UNTIL_MS),
      'plan.faults.0',
      /until 8000 ms, and faultsUntilMs is 7000; end it sooner/,
    ],
    ['a node cut from itself', struckBy({ kind: 'one-way', from: 2, to: 2 }), 'plan.faults.0.what', /cuts node 2 from itself/],
    ['a cut to nowhere', struckBy({ kind: 'one-way', from: 2, to: 9 }), 'plan.faults.0.what', /no node 9 among 4/],
    ['a fault of a node that is not there', struckBy({ kind: 'full-disk', node: 4 }), 'plan.faults.0.what', /no node 4 among 4/],
    ['a fault of a node below 0', struckBy({ kind: 'full-disk', node: -1 }), 'plan.faults.0.what', /no node -1/],
    ['a write without an end', struckBy({ kind: 'slow-disk', node: 0, syncMs: 60_000 }), 'plan.faults.0.what', /write of 60000 ms/],
    ['a fault before the start', struckBy({ kind: 'full-disk', node: 0 }, -5), 'plan.faults.0.fromMs', /-5 ms is before the start/],
    [
      'a fault that ends before it begins',
      struckBy({ kind: 'full-disk', node: 0 }, 90, -20),
      'plan.faults.0.forMs',
      /70 ms, before it begins/,
    ],
    ['a fault at no moment', struckBy({ kind: 'full-disk', node: 0 }, Number.NaN), 'plan.faults.0.fromMs', /NaN/],
    ['an end before the start', { ...FOUR, faultsUntilMs: -1 }, 'plan.faultsUntilMs', /-1 ms is before the start/],
  ];
  for (const [name, plan, where, told] of refused) {
    it(`is one with ${name}`, () => {
      const found = impossibilityOf(plan);
      assert.ok(found !== undefined);
      assert.equal(found.where, where);
      assert.match(`${found.what}; ${found.remedy}`, told);
    });
  }

  it('is refused when it is read, in one line that says where and what to do', () => {
    assert.throws(
      () => readPlan('a.json', writePlan({ plan: cast('silent', 1, 2), crypto: 'stand-in', about: '' })),
      (error) => isError(error, 'simulation/bad-plan') && /^plan\.dishonest: 2 of 4 .*; name 1 at most.*$/.test(error.facts.detail),
    );
  });
});

describe('a plan that can be judged', () => {
  it('is one with as many dishonest as may be, or with more beyond a third', () => {
    for (const strategy of STRATEGIES) assert.equal(impossibilityOf(cast(strategy, 3)), undefined, strategy);
    assert.equal(impossibilityOf({ ...cast('silent', 5, 6), nodes: 7 }), undefined);
    for (const validators of [
      [0, 1],
      [0, 1, 2],
    ])
      assert.equal(impossibilityOf({ ...cast('twin', ...validators), isBeyondThird: true }), undefined);
  });

  it('is one in which all validators are parted from a twin', () => {
    assert.equal(impossibilityOf({ ...parted(0, 1, 2, 3), dishonest: [{ validator: 0, strategy: 'twin' }] }), undefined);
  });

  it('is one in which everybody is cut from everybody until the faults are over', () => {
    const alone = [0, 1, 2, 3].map((node) => ({
      fromMs: 0,
      forMs: FAULTS_UNTIL_MS,
      what: { kind: 'partition', minority: [node], isSeen: false } as const,
    }));
    assert.equal(impossibilityOf({ ...FOUR, faults: alone }), undefined);
  });

  it(`is what the swarm draws from ${SEEDS} seeds, for any number of nodes, any time and any choice of faults and strategies`, () => {
    const start = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9));
    console.log(`SEED=${start}`);
    for (let seed = start; seed < start + SEEDS; seed++) {
      const nodes = [4, 5, 6, 7, 10, 16, 64][seed % 7] as number;
      const faultsUntilMs = [500, FAULTS_UNTIL_MS, 600_000][seed % 3] as number;
      const kinds = seed % 2 === 0 ? FAULT_KINDS : [FAULT_KINDS[seed % FAULT_KINDS.length] as DrawnKind];
      const faults = faultsOfSeed(seed, nodes, faultsUntilMs, kinds);
      const plan = { seed, nodes, faults, dishonest: dishonestOfSeed(seed, nodes), faultsUntilMs };
      assert.equal(impossibilityOf(plan), undefined, `seed ${seed}`);
      assert.deepEqual(readPlan('the test', writePlan({ plan, crypto: 'stand-in', about: '' })).plan, plan, `seed ${seed}`);
    }
  });

  it('is every scenario with a name, with whom each of many seeds makes dishonest', () => {
    for (const scenario of REGRESSIONS)
      for (let seed = 0; seed < SEEDS; seed++) {
        const plan = planOfScenario(scenario);
        assert.equal(impossibilityOf({ dishonest: dishonestOfSeed(seed, plan.nodes), ...plan, seed }), undefined, scenario.name);
      }
  });
});

describe('what a seed draws', () => {
  it('is of the kinds and strategies that are allowed only, and of each of them', () => {
    const kinds = new Set<string>();
    const strategies = new Set<string>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      for (const { what } of faultsOfSeed(seed, 7, FAULTS_UNTIL_MS, ['crash', 'loss', 'partition'])) kinds.add(what.kind);
      for (const { strategy } of dishonestOfSeed(seed, 7, ['twin', 'silent'])) strategies.add(strategy);
    }
    assert.deepEqual([...kinds].sort(), ['crash', 'loss', 'partition']);
    assert.deepEqual([...strategies].sort(), ['silent', 'twin']);
  });

  it('is nothing where nothing is allowed, and the same again where all is', () => {
    for (let seed = 1; seed <= 20; seed++) {
      assert.deepEqual(faultsOfSeed(seed, 4, FAULTS_UNTIL_MS, []), []);
      assert.deepEqual(dishonestOfSeed(seed, 4, []), []);
      assert.deepEqual(faultsOfSeed(seed, 4, FAULTS_UNTIL_MS, [...FAULT_KINDS]), faultsOfSeed(seed, 4, FAULTS_UNTIL_MS));
      assert.deepEqual(dishonestOfSeed(seed, 4, [...STRATEGIES]), dishonestOfSeed(seed, 4));
    }
  });
});
