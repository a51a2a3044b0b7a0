// Mutants of what a takeover makes void, and of what comes after it.
import type { Fault } from '../faults.ts';
import type { Mutant } from './mutant.ts';
import { underSeeds } from './trial.ts';

const ROLLBACK = 'src/node/shard-rollback.ts';

/** The only member of each committee is cut off in turn, commits alone, and has it undone. */
const CUT_OFF: readonly Fault[] = [{ fromMs: 600, forMs: 3_400, what: { kind: 'partition', minority: [3], isSeen: true } }];
const TAKEN_OVER = underSeeds(3, 8, {
  faultsUntilMs: 4_200,
  faults: CUT_OFF,
  dishonest: [],
  shape: { layout: [2, 3], epochBlocks: 4, beaconIntervalMs: 250, takeoverGraceBlocks: 4, committeeSeats: 1 },
});

/** See the file's head. */
export const TAKEOVER_MUTANTS: readonly Mutant[] = [
  {
    name: 'void-results-kept',
    rule: 'nothing of a void block is shown',
    violates: ['determinism', 'agreement', 'liveness', 'conservation'],
    file: ROLLBACK,
    find: '    rows.push(...viewStore.dropExecution(shard, each), ...shardStore.dropSent(shard, each));',
    replace: '    rows.push(...viewStore.dropExecution(shard, each).slice(0, 0), ...shardStore.dropSent(shard, each));',
    trials: TAKEN_OVER.slice(2),
  },
  {
    name: 'void-body-kept',
    rule: 'the body of the header at which the beacon takes over is void',
    violates: ['liveness', 'determinism', 'agreement', 'durability'],
    file: ROLLBACK,
    find: '  const keptHeight = Math.max(record.height, height - 1);',
    replace: '  const keptHeight = Math.max(record.height, height);',
    trials: TAKEN_OVER,
  },
];
