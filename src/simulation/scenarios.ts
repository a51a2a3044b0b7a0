// Schedules with names: the swarm, and one for each bug that the simulator has found, with the faults that showed it. A scenario says what
// went wrong, so that a failure of it says what has come back.
import { PLAIN_SHAPE } from './chain-shape.ts';
import type { Fault } from './faults.ts';
import type { SchedulePlan } from './plan.ts';

/** See the file's head: a plan, so that what shrinking leaves can be kept as it is. */
export interface Scenario extends Omit<SchedulePlan, 'faults'> {
  readonly name: string;
  readonly about: string;
  /** Undefined: drawn from the seed. */
  readonly faults: readonly Fault[] | undefined;
}

/** What of a scenario is run. */
export function planOfScenario({ name: _name, about: _about, faults, ...plan }: Scenario): SchedulePlan {
  return faults === undefined ? plan : { ...plan, faults };
}

/** Bugs that were found and mended, oldest first. */
export const REGRESSIONS: readonly Scenario[] = [
  {
    name: 'silent-peer-while-behind',
    about: 'a node that was behind asked one peer at a time and waited ten seconds for each that was silent',
    seed: 105,
    nodes: 4,
    shape: PLAIN_SHAPE,
    faults: [
      { fromMs: 1_070, forMs: 2_961, what: { kind: 'one-way', from: 2, to: 1 } },
      { fromMs: 517, forMs: 2_907, what: { kind: 'one-way', from: 0, to: 3 } },
      { fromMs: 2_733, forMs: 2_514, what: { kind: 'duplicates', share: 0.37 } },
    ],
  },
  {
    name: 'block-without-its-parent',
    about:
      'a node that got a block by its hash and lacked its parent waited ten seconds for a commit that could not come, and forgot the parent',
    seed: 22,
    nodes: 4,
    shape: PLAIN_SHAPE,
    faults: [
      { fromMs: 520, forMs: 1_352, what: { kind: 'crash', node: 0, end: 'power-lost', trigger: 'while-writing' } },
      { fromMs: 3_240, forMs: 339, what: { kind: 'old-backup', node: 1, ageMs: 2_365 } },
      { fromMs: 1_117, forMs: 1_599, what: { kind: 'partition', minority: [1, 3], isSeen: false } },
      { fromMs: 2_571, forMs: 2_535, what: { kind: 'crash', node: 2, end: 'power-lost', trigger: 'at-once' } },
      { fromMs: 4_035, forMs: 754, what: { kind: 'old-backup', node: 1, ageMs: 4_905 } },
    ],
  },
  {
    name: 'rotten-signing-record',
    about:
      'one rotten bit in the newest slot of the signing record made a validator go on from the record before, and propose twice in a round',
    seed: 11,
    nodes: 4,
    shape: PLAIN_SHAPE,
    faults: [
      { fromMs: 1_500, forMs: 300, what: { kind: 'bit-rot', node: 0, of: 'signing-record' } },
      { fromMs: 2_300, forMs: 300, what: { kind: 'bit-rot', node: 1, of: 'signing-record' } },
      { fromMs: 3_100, forMs: 300, what: { kind: 'bit-rot', node: 2, of: 'signing-record' } },
      { fromMs: 3_900, forMs: 300, what: { kind: 'bit-rot', node: 3, of: 'signing-record' } },
      { fromMs: 4_700, forMs: 300, what: { kind: 'bit-rot', node: 0, of: 'signing-record' } },
      { fromMs: 5_400, forMs: 300, what: { kind: 'bit-rot', node: 1, of: 'signing-record' } },
    ],
  },
  {
    name: 'view-after-a-loss-of-power',
    about:
      'view blocks that a loss of power took were made again only when the node had found its neighbours: until then clients saw an older head',
    seed: 1,
    nodes: 4,
    dishonest: [],
    shape: PLAIN_SHAPE,
    faults: [0, 1, 2, 3].map((node) => ({
      fromMs: 2_300 + 900 * node,
      forMs: 300,
      what: { kind: 'crash', node, end: 'power-lost', trigger: 'at-once' },
    })),
  },
  {
    name: 'call-before-its-charge',
    about: 'a node that caught up executed a main call before the block of another shard that charged its sender, and stopped',
    seed: 52,
    nodes: 4,
    dishonest: [],
    shape: { ...PLAIN_SHAPE, layout: [2, 3] },
    faults: [{ fromMs: 445, forMs: 714, what: { kind: 'old-backup', node: 0, ageMs: 2_327 } }],
  },
  {
    name: 'view-on-rotten-rows',
    about: 'what makes view blocks met a rotten row, and tried again for ever: the process neither went on nor ended',
    seed: 103,
    nodes: 4,
    dishonest: [{ validator: 0, strategy: 'wrong-blocks' }],
    shape: PLAIN_SHAPE,
    faults: [
      { fromMs: 3_951, forMs: 1_207, what: { kind: 'old-backup', node: 3, ageMs: 1_953 } },
      { fromMs: 484, forMs: 2_028, what: { kind: 'one-way', from: 0, to: 2 } },
      {
        fromMs: 1_701,
        forMs: 2_565,
        what: { kind: 'bit-rot', node: 1, of: 'rows', share: 0.143_238_133_471_459_17, repair: { ageMs: 2_630 } },
      },
      { fromMs: 2_982, forMs: 3_499, what: { kind: 'one-way', from: 2, to: 3 } },
      { fromMs: 2_372, forMs: 2_610, what: { kind: 'one-way', from: 0, to: 1 } },
    ],
  },
];
