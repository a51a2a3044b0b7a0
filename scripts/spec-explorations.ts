// What is explored of the formal model in spec/, one entry for each command of the tool: of consensus (spec/*.qnt), and of handover and lanes,
// one level above it (spec/handover). Seeds and budgets are fixed, so that each run can be repeated.
import { COMMAND_TIMEOUT_MS } from './quint.ts';

/** One command of the tool. */
export interface Exploration {
  readonly name: string;
  readonly args: readonly string[];
  /** The verdict that is right, as the tool prints it. */
  readonly expected: RegExp;
  /** States of interest that at least one run must reach. */
  readonly witnesses: readonly string[];
  readonly explored: string;
  readonly timeoutMs: number;
}

/** The parts of the model. */
export const PARTS = ['consensus', 'handover'] as const;
export type Part = (typeof PARTS)[number];

/** Random runs in which a violation must turn up where a rule is left out. */
const SAMPLES_WITHOUT_RULE = 300;

/** Time that each further random run has, on a busy machine. */
const RUN_TIMEOUT_MS = 4_000;

/** What a violating run prints. */
export const VIOLATION = /^\[violation\] Found an issue/m;

/** A model and how long its runs are. */
interface Model {
  readonly folder: string;
  readonly steps: number;
  readonly stepsWithoutRule: number;
  readonly witnesses: readonly string[];
}

const CONSENSUS: Model = {
  folder: 'spec',
  steps: 60,
  stepsWithoutRule: 50,
  witnesses: [
    'hasCommitted',
    'hasCommittedTwice',
    'hasCommittedAfterTimeout',
    'hasVotedBesideCommitVote',
    'isForked',
    'hasEnded',
    'hasEndedByCarrier',
  ],
};

const HANDOVER: Model = {
  folder: 'spec/handover',
  steps: 80,
  stepsWithoutRule: 60,
  witnesses: [
    'hasMerged',
    'hasSplit',
    'hasClosed',
    'hasClosedByCarrier',
    'hasTakenOver',
    'hasTakenOverFinal',
    'hasSkippedEpoch',
    'hasUnlisted',
    'hasRetiredWithMessages',
    'hasExecuted',
  ],
};

/** How much is explored. */
export interface Budget {
  /** Random runs of each instance in which everything must hold. */
  readonly samples: number;
  /** Also by chance what schedules by hand show. */
  readonly isThorough: boolean;
}

/** What CI spends. */
export const CI_BUDGET: Budget = { samples: 25, isThorough: false };

/** Everything that is explored of a part. */
export function explorationsOf(part: Part, budget: Budget): readonly Exploration[] {
  return part === 'consensus' ? consensusExplorations(budget) : handoverExplorations(budget);
}

function consensusExplorations({ samples }: Budget): readonly Exploration[] {
  const always = ['certificatesHold', 'votingRules', 'recordCovers', 'tcsAreUsable', 'innocence', 'accountability'];
  const holding = (init: string, invariants: readonly string[], witnesses: readonly string[]): Exploration =>
    holdingIn(CONSENSUS, init, invariants, samples, witnesses);
  const violating = (init: string, invariant: string, seed?: string): Exploration => violatingIn(CONSENSUS, init, invariant, seed);
  return [
    ...checkedByHand(CONSENSUS),
    holding('init', [...always, 'agreement', 'uniqueQcs'], ['hasCommitted', 'hasCommittedTwice', 'hasCommittedAfterTimeout']),
    holding('initWithTwoByzantine', always, ['hasCommitted']),
    holding('initToEnd', [...always, 'agreement', 'uniqueQcs', 'canEnd', 'endsWithClosing'], ['hasEnded', 'hasEndedByCarrier']),
    // From seed 1 it takes a minute until two honest validators vote for both blocks of one leader.
    violating('initWithManyVotes', 'uniqueQcs', '0xc9eb9'),
    violating('initWithLateVotes', 'votingRules'),
    violating('initWithLateCommitVotes', 'innocence'),
    violating('initWithLowTc', 'certificatesHold'),
    violating('initWithEmptyClaims', 'tcsAreUsable'),
    violating('initWithForgetful', 'votingRules'),
    violating('initWithoutCarriers', 'canEnd'),
  ];
}

function handoverExplorations({ samples, isThorough }: Budget): readonly Exploration[] {
  const always = [
    'oneRecord',
    'neverReverts',
    'exactlyOnceInOrder',
    'conservation',
    'nothingForgotten',
    'referencesRise',
    'endsWithClosing',
    'canClose',
  ];
  const often = [
    'hasMerged',
    'hasSplit',
    'hasClosed',
    'hasTakenOver',
    'hasTakenOverFinal',
    'hasUnlisted',
    'hasRetiredWithMessages',
    'hasExecuted',
  ];
  const violating = (init: string, invariant: string, seed?: string): Exploration => violatingIn(HANDOVER, init, invariant, seed);
  const shownByHand = [
    violating('initWithoutTakingMovesCursor', 'exactlyOnceInOrder'),
    violating('initWithoutFoldAtOnePlace', 'nothingForgotten'),
    violating('initWithoutNewCursorAtRecord', 'nothingForgotten'),
    violating('initWithoutLateCrosslinksRefused', 'conservation'),
    violating('initWithoutMergeJoinsCursors', 'nothingForgotten', '0x1051'),
  ];
  return [
    ...checkedByHand(HANDOVER),
    holdingIn(HANDOVER, 'initToMerge', always, samples, often),
    holdingIn(HANDOVER, 'initToSplit', always, samples, [...often, 'hasClosedByCarrier', 'hasSkippedEpoch']),
    violating('initWithoutRetiredStaysListed', 'conservation'),
    violating('initWithoutStartHeightStays', 'conservation'),
    violating('initWithoutEpochOfBlock', 'oneRecord'),
    violating('initWithoutLayoutOfBlock', 'oneRecord'),
    violating('initWithoutTakeoverVoidsBody', 'conservation'),
    violating('initWithoutTakeoverAtLastCrosslink', 'neverReverts'),
    violating('initWithoutCarriers', 'canClose'),
    // From seed 1 these take a minute or more.
    violating('initWithoutRelatedSourcesWait', 'exactlyOnceInOrder', '0xef9b'),
    violating('initWithoutUnshownIsUnread', 'nothingForgotten', '0x2525'),
    violating('initWithoutMissingIsUnread', 'conservation', '0x2223'),
    violating('initWithoutReferenceRises', 'exactlyOnceInOrder', '0x11213'),
    violating('initWithoutHeightIsGreatest', 'exactlyOnceInOrder', '0x10c26'),
    ...(isThorough ? shownByHand : []),
  ];
}

/** Types, and schedules by hand. */
function checkedByHand({ folder }: Model): readonly Exploration[] {
  const file = modelIn(folder);
  // The other commands check types as well, but say so only where they are wrong.
  const types: Exploration = {
    name: 'typecheck',
    args: ['typecheck', file],
    expected: /^\s*$/,
    witnesses: [],
    explored: 'types and effects',
    timeoutMs: COMMAND_TIMEOUT_MS,
  };
  const scenarios: Exploration = {
    name: 'scenarios',
    args: ['test', file, '--main', 'scenarios', '--backend', 'typescript', '--seed', '1'],
    expected: /^ *\d+ passing(?![\s\S]*failed)/m,
    witnesses: [],
    explored: 'schedules by hand',
    timeoutMs: COMMAND_TIMEOUT_MS,
  };
  return [types, scenarios];
}

function holdingIn(model: Model, init: string, invariants: readonly string[], samples: number, witnesses: readonly string[]): Exploration {
  const { steps } = model;
  return {
    name: init,
    args: [...randomRuns(model, init, samples, steps, '1'), '--invariants', ...invariants, '--witnesses', ...model.witnesses],
    expected: /^\[ok\] No violation found/m,
    witnesses,
    explored: `${samples} runs × ${steps} steps, ${invariants.length} properties hold`,
    timeoutMs: COMMAND_TIMEOUT_MS + samples * RUN_TIMEOUT_MS,
  };
}

function violatingIn(model: Model, init: string, invariant: string, seed = '1'): Exploration {
  const { stepsWithoutRule } = model;
  return {
    name: init,
    args: [...randomRuns(model, init, SAMPLES_WITHOUT_RULE, stepsWithoutRule, seed), '--invariants', invariant],
    expected: VIOLATION,
    witnesses: [],
    explored: `at most ${SAMPLES_WITHOUT_RULE} runs × ${stepsWithoutRule} steps until ${invariant} is violated`,
    timeoutMs: COMMAND_TIMEOUT_MS,
  };
}

function randomRuns({ folder }: Model, init: string, samples: number, steps: number, seed: string): readonly string[] {
  const budget = ['--max-samples', `${samples}`, '--max-steps', `${steps}`];
  const choice = ['--main', 'instances', '--init', init, '--seed', seed];
  return ['run', modelIn(folder), '--backend', 'typescript', '--verbosity', '1', ...choice, ...budget];
}

/** The file that imports all others of a model: the tool reads and checks it in seconds, and once (quint-worker.ts). */
export function modelIn(folder: string): string {
  return `${folder}/model.qnt`;
}
