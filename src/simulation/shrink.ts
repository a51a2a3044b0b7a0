// From a schedule that violates a property to a small one that violates the same: fewer faults, fewer dishonest validators, fewer chains and nodes,
// less load, shorter windows, weaker faults, an earlier end. Whatever is tried is run; what is kept has shown the violation. Greedy, in a
// fixed order (delta debugging, Zeller and Hildebrandt, 2002, for the lists), so equal failures shrink alike.
import { PLAIN_SHAPE } from './chain-shape.ts';
import type { Violation } from './checks/violation.ts';
import type { Fault, FaultKind } from './faults.ts';
import { impossibilityOf, NODES_MIN, nodesOf, type SchedulePlan } from './plan.ts';
import { FAULTS_UNTIL_MS, type ScheduleReport, TRANSACTIONS_PER_SECOND } from './schedule.ts';

/** What a shrinking works with. */
export interface ShrinkOptions {
  /** Runs a plan to its end. */
  readonly run: (plan: SchedulePlan) => Promise<ScheduleReport>;
  readonly runsMax: number;
  /** Whether there is time for another run. Without a limit of time the result depends on the failure alone. */
  readonly mayGoOn: () => boolean;
}

/** What is left. */
export interface Shrunk {
  readonly plan: SchedulePlan;
  /** Of that plan's own run. */
  readonly report: ScheduleReport;
  readonly runs: number;
  /** Why it ended; only `nothing-smaller` means that no further step of the kinds above shows the violation. */
  readonly ended: 'nothing-smaller' | 'runs' | 'time';
}

/** A failing plan in which everything is explicit, and the violation that it shows. */
interface Failure {
  readonly plan: ExplicitPlan;
  readonly violation: Violation;
  readonly report: ScheduleReport;
}

type ExplicitPlan = SchedulePlan & Required<Pick<SchedulePlan, 'faults' | 'dishonest' | 'shape'>>;

/** Plans that are smaller than a failing one in one respect, the smallest first. */
type Pass = (failure: Failure) => readonly ExplicitPlan[];

/** Below this a window is not halved any more. */
const WINDOW_MS_MIN = 20;
const SHARE_MIN = 0.01;
const TRANSACTIONS_PER_SECOND_MIN = 1;

/** The plan of a run with what was drawn from its seed written out. */
export function explicitPlan(
  plan: SchedulePlan,
  { faults, dishonest, shape }: Pick<ScheduleReport, 'faults' | 'dishonest' | 'shape'>,
): ExplicitPlan {
  return { ...plan, faults, dishonest, shape };
}

/** Shrinks a plan whose run gave this report, which has a violation. */
export async function shrink(plan: SchedulePlan, report: ScheduleReport, { run, runsMax, mayGoOn }: ShrinkOptions): Promise<Shrunk> {
  if (report.violation === undefined) throw new Error('only what violates a property is shrunk');
  let smallest: Failure = { plan: explicitPlan(plan, report), violation: report.violation, report };
  const tried = new Set([JSON.stringify(smallest.plan)]);
  let runs = 0;
  const done = (ended: Shrunk['ended']): Shrunk => ({ plan: smallest.plan, report: smallest.report, runs, ended });
  const isSmallerFailure = async (candidate: ExplicitPlan): Promise<boolean> => {
    const found = await run(candidate);
    if (found.violation?.property !== smallest.violation.property) return false;
    smallest = { plan: candidate, violation: found.violation, report: found };
    return true;
  };
  for (let place = 0; place < PASSES.length; ) {
    const candidates = (PASSES[place] as Pass)(smallest).filter((candidate) => impossibilityOf(candidate) === undefined);
    let isProgress = false;
    for (const candidate of candidates) {
      const name = JSON.stringify(candidate);
      if (tried.has(name)) continue;
      if (runs >= runsMax) return done('runs');
      if (!mayGoOn()) return done('time');
      tried.add(name);
      runs++;
      isProgress = await isSmallerFailure(candidate);
      if (isProgress) break;
    }
    // A smaller plan may be smaller yet in what came before: from the first pass again, when this one has nothing more.
    if (!isProgress) place++;
    else if (place > 0) place = 0;
  }
  return done('nothing-smaller');
}

/** Cheap and large steps first. */
const PASSES: readonly Pass[] = [
  withoutTheFuture,
  simplerShape,
  ({ plan }) => withoutSome(plan.faults).map((faults) => ({ ...plan, faults })),
  ({ plan }) => withoutSome(plan.dishonest).map((dishonest) => ({ ...plan, dishonest })),
  fewerNodes,
  ({ plan }) => (plan.exactClocks === true ? [] : [{ ...plan, exactClocks: true }]),
  lessLoad,
  shorterWindows,
  weakerFaults,
  earlier,
];

// What had not begun when the violation showed, or went on after it, did nothing for it.
function withoutTheFuture({ plan, violation: { atMs } }: Failure): readonly ExplicitPlan[] {
  const faults = plan.faults
    .filter(({ fromMs }) => fromMs <= atMs)
    .map((fault) => ({ ...fault, forMs: Math.min(fault.forMs, Math.max(1, Math.ceil(atMs - fault.fromMs) + 1)) }));
  return [{ ...plan, faults }];
}

// Without a half, a quarter, … and at last without each single one.
function withoutSome<T>(items: readonly T[]): readonly (readonly T[])[] {
  const subsets: (readonly T[])[] = [];
  if (items.length > 1) subsets.push([]);
  for (let size = Math.ceil(items.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let start = 0; start < items.length; start += size) subsets.push([...items.slice(0, start), ...items.slice(start + size)]);
  return subsets;
}

function fewerNodes({ plan }: Failure): readonly ExplicitPlan[] {
  return Array.from({ length: Math.max(0, plan.nodes - NODES_MIN) }, (_unused, more) => {
    const nodes = NODES_MIN + more;
    const faults = plan.faults.filter(({ what }) => nodesOf(what).every((node) => node < nodes));
    return { ...plan, nodes, faults, dishonest: plan.dishonest.filter(({ validator }) => validator < nodes) };
  });
}

// One shard, and no turn of an epoch; or one of the two.
function simplerShape({ plan }: Failure): readonly ExplicitPlan[] {
  const { layout, epochBlocks, beaconIntervalMs } = PLAIN_SHAPE;
  const shapes = [PLAIN_SHAPE, { ...plan.shape, epochBlocks, beaconIntervalMs }, { ...plan.shape, layout }];
  return shapes.map((shape) => ({ ...plan, shape }));
}

function lessLoad({ plan }: Failure): readonly ExplicitPlan[] {
  const { transactionsPerSecond = TRANSACTIONS_PER_SECOND } = plan;
  const rates = [TRANSACTIONS_PER_SECOND_MIN, Math.floor(transactionsPerSecond / 2)];
  return rates
    .filter((rate) => rate >= TRANSACTIONS_PER_SECOND_MIN && rate < transactionsPerSecond)
    .map((rate) => ({ ...plan, transactionsPerSecond: rate }));
}

function shorterWindows({ plan }: Failure): readonly ExplicitPlan[] {
  return plan.faults.flatMap((fault, place) => {
    const forMs = Math.floor(fault.forMs / 2);
    return forMs < WINDOW_MS_MIN ? [] : [withFault(plan, place, { ...fault, forMs })];
  });
}

function weakerFaults({ plan }: Failure): readonly ExplicitPlan[] {
  return plan.faults.flatMap((fault, place) => weaker(fault.what).map((what) => withFault(plan, place, { ...fault, what })));
}

function weaker(what: FaultKind): readonly FaultKind[] {
  switch (what.kind) {
    case 'crash': {
      const simpler: FaultKind[] = [];
      if (what.trigger !== 'at-once') simpler.push({ ...what, trigger: 'at-once' });
      if (what.end !== 'killed') simpler.push({ ...what, end: 'killed' });
      return simpler;
    }
    case 'partition':
      return what.minority.length > 1
        ? withoutSome(what.minority).flatMap((minority) => (minority.length > 0 ? [{ ...what, minority }] : []))
        : [];
    default:
      return halved(what);
  }
}

// Of all other kinds, those of later ones too: each number that is a share or a time, halved.
function halved<K extends FaultKind>(what: K): readonly K[] {
  return Object.entries(what).flatMap(([key, value]: [string, unknown]) => {
    if (typeof value !== 'number' || !(key === 'share' || key.endsWith('Ms'))) return [];
    const half = key === 'share' ? value / 2 : Math.floor(value / 2);
    return half < (key === 'share' ? SHARE_MIN : 1) ? [] : [{ ...what, [key]: half }];
  });
}

// All faults sooner by as much as the first of them waits, by half of that, and so on; and the end of all faults with the last of them.
function earlier({ plan }: Failure): readonly ExplicitPlan[] {
  const firstMs = Math.min(...plan.faults.map(({ fromMs }) => fromMs));
  const shifts =
    plan.faults.length === 0 ? [] : [firstMs, firstMs / 2, firstMs / 4].map(Math.floor).filter((shiftMs) => shiftMs >= WINDOW_MS_MIN);
  const sooner = shifts.map((shiftMs) => ({
    ...plan,
    faults: plan.faults.map((fault) => ({ ...fault, fromMs: fault.fromMs - shiftMs })),
  }));
  const overMs = plan.faults.reduce((latest, { fromMs, forMs }) => Math.max(latest, fromMs + forMs), 0);
  const { faultsUntilMs = FAULTS_UNTIL_MS } = plan;
  return overMs + WINDOW_MS_MIN < faultsUntilMs ? [...sooner, { ...plan, faultsUntilMs: overMs }] : sooner;
}

function withFault(plan: ExplicitPlan, place: number, fault: Fault): ExplicitPlan {
  return { ...plan, faults: plan.faults.with(place, fault) };
}
