// Mutants of the one chain that clients see.
import type { Mutant } from './mutant.ts';
import { BRISK, CALM, PLAIN, SHARDED, underSeeds } from './trial.ts';

const MAKER = 'src/runtime/view-maker.ts';
const SHOWN = 'src/core/view/shown-execution.ts';

const LONGER = underSeeds(1, 4, { faults: [], dishonest: [], shape: SHARDED });
const QUIET = [CALM, ...LONGER];
/** One shard, few transactions: a chain that stands still is soon overdue. */
const OVERDUE = underSeeds(6, 4, {
  faults: [],
  faultsUntilMs: 1_500,
  dishonest: [],
  parameters: BRISK,
  transactionsPerSecond: 2,
  shape: { ...PLAIN, beaconIntervalMs: 1_000 },
});

/** See the file's head. */
export const VIEW_MUTANTS: readonly Mutant[] = [
  {
    name: 'shown-before-final',
    rule: 'an execution is shown when the header that commits it is crosslinked',
    violates: ['determinism', 'agreement', 'liveness'],
    file: 'src/core/beacon/anchoring.ts',
    find: '  const toHeight = last.header.height - 1;\n  // The first header of an instance commits the record, and no block.\n',
    replace: '  const toHeight = last.header.height;\n  // The first header of an instance commits the record, and no block.\n',
    trials: QUIET,
  },
  {
    name: 'shown-in-another-order',
    rule: 'executions are shown in the order of crosslinks and heights',
    violates: ['determinism', 'agreement'],
    file: MAKER,
    find: 'const shown = anchor.executions.flatMap(',
    replace: 'const shown = anchor.executions.toReversed().flatMap(',
    trials: QUIET,
  },
  {
    name: 'shown-before-its-pointers',
    rule: 'a transaction is shown when the pointers of its contracts are written',
    violates: ['determinism', 'agreement'],
    file: SHOWN,
    find: '    const pointerCount = isCall ? pointersOf(message.id) : 0;',
    replace: '    const pointerCount = isCall ? pointersOf(message.id) * 0 : 0;',
    trials: LONGER,
  },
  {
    name: 'never-shown-after-its-pointers',
    rule: 'what waited for pointers is shown with the last of them',
    violates: ['determinism', 'agreement'],
    file: MAKER,
    find: '        if (left.count === 0) complete.push(left);',
    replace: '        if (left.count < 0) complete.push(left);',
    trials: LONGER,
  },
  {
    name: 'call-shown-as-of-nobody',
    rule: 'a main call is shown as the transaction that was charged for it, wherever that was',
    violates: ['determinism', 'agreement'],
    file: SHOWN,
    find: "    const isCall = isShown(one) && message.kind === 'main-call';",
    replace: "    const isCall = isShown(one) && message.kind === 'main-call' && one.wave > INBOX_WAVE;",
    trials: QUIET,
  },
  {
    name: 'undelivered-value-uncounted',
    rule: 'value inside messages under way is part of the supply',
    violates: ['conservation'],
    file: 'src/core/view/supply.ts',
    find: '    undeliveredValueWei += sentValueWei - takenValueWei;',
    replace: '    undeliveredValueWei += (sentValueWei - takenValueWei) * 0n;',
    trials: QUIET,
  },
  {
    name: 'undelivered-tips-uncounted',
    rule: 'priority fees inside messages under way are part of the supply',
    violates: ['conservation'],
    file: 'src/core/view/supply.ts',
    find: '    undeliveredPriorityFeesWei += sentTipsWei - takenTipsWei;',
    replace: '    undeliveredPriorityFeesWei += (sentTipsWei - takenTipsWei) * 0n;',
    trials: QUIET,
  },
  {
    name: 'world-of-older-states',
    rule: 'the world of a view block is of the states that its beacon block anchored',
    violates: ['liveness'],
    file: MAKER,
    find: 'const world = view.worldOf(anchor.states);',
    replace: 'const world = view.worldOf(anchor.states.map(({ shard, height }) => ({ shard, height: Math.max(0, height - 1) })));',
    trials: OVERDUE,
  },
  {
    name: 'price-of-the-cheapest-shard',
    rule: 'a view block shows the highest base fee of all shards',
    violates: ['determinism'],
    file: 'src/core/view/anchor.ts',
    find: '  for (const price of prices) if (price > highest) highest = price;',
    replace: '  for (const price of prices) if (price < highest) highest = price;',
    trials: QUIET,
  },
];
