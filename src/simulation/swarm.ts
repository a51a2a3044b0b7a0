// Many schedules, one after the other, each with faults drawn from its own seed; and what came of all of them together.
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import { STRATEGIES, type Strategy } from './adversaries/strategies.ts';
import type { Violation } from './checks/violation.ts';
import { FAULT_KINDS, type Fault, type FaultKind } from './faults.ts';
import { LINK_KINDS, type QuietLinks } from './quiet-links.ts';
import { runSchedule, type ScheduleReport } from './schedule.ts';
import type { WorldCrypto } from './world.ts';

/** What a swarm is made of. */
export interface SwarmOptions {
  readonly firstSeed: number;
  /** Undefined: no end but that of the time. */
  readonly schedules: number | undefined;
  readonly nodes: number;
  readonly preset: NetworkParameters;
  /** Fresh for each schedule: stand-ins remember keys. */
  readonly crypto: () => WorldCrypto;
  readonly faults?: readonly Fault[] | undefined;
  /** Whether there is time for another schedule. */
  readonly mayGoOn: () => boolean;
  readonly onReport: (report: ScheduleReport) => void;
}

/** What came of it. */
export interface SwarmSummary {
  readonly schedules: number;
  readonly events: number;
  readonly simulatedSeconds: number;
  readonly transactions: number;
  readonly medianBlocks: number;
  readonly medianFaults: number;
  readonly medianFaultKinds: number;
  readonly injected: Readonly<Record<FaultKind['kind'], number>>;
  /** Schedules by how messages travelled when nothing was wrong. */
  readonly links: Readonly<Record<QuietLinks['kind'], number>>;
  /** Validators by what they did. */
  readonly dishonest: Readonly<Record<Strategy, number>>;
  readonly violations: readonly (Violation & { readonly seed: number })[];
  /** Of the last schedule. */
  readonly eventLogHash: string;
}

/** Runs schedules until there are enough or the time is over; a violation ends its schedule, not the swarm. */
export async function runSwarm(options: SwarmOptions): Promise<SwarmSummary> {
  const { firstSeed, schedules, nodes, preset, crypto, faults } = options;
  const blocks: number[] = [];
  const faultCounts: number[] = [];
  const kindCounts: number[] = [];
  const violations: (Violation & { readonly seed: number })[] = [];
  const injected = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind['kind'], number>;
  const links = Object.fromEntries(LINK_KINDS.map((kind) => [kind, 0])) as Record<QuietLinks['kind'], number>;
  const dishonest = Object.fromEntries(STRATEGIES.map((strategy) => [strategy, 0])) as Record<Strategy, number>;
  let [events, simulatedMs, transactions, eventLogHash] = [0, 0, 0, ''];
  for (let seed = firstSeed; (schedules === undefined || seed < firstSeed + schedules) && options.mayGoOn(); seed++) {
    const report = await runSchedule({ seed, nodes, preset, crypto: crypto(), ...(faults === undefined ? {} : { faults }) });
    options.onReport(report);
    events += report.events;
    simulatedMs += report.simulatedMs;
    transactions += report.transactions;
    ({ eventLogHash } = report);
    blocks.push(report.blocks);
    faultCounts.push(FAULT_KINDS.reduce((sum, kind) => sum + report.injected[kind], 0));
    kindCounts.push(FAULT_KINDS.filter((kind) => report.injected[kind] > 0).length);
    for (const kind of FAULT_KINDS) injected[kind] += report.injected[kind];
    links[report.links]++;
    for (const { strategy } of report.dishonest) dishonest[strategy]++;
    if (report.violation !== undefined) violations.push({ ...report.violation, seed });
  }
  return {
    schedules: blocks.length,
    events,
    simulatedSeconds: simulatedMs / 1_000,
    transactions,
    medianBlocks: medianOf(blocks),
    medianFaults: medianOf(faultCounts),
    medianFaultKinds: medianOf(kindCounts),
    injected,
    links,
    dishonest,
    violations,
    eventLogHash,
  };
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >>> 1] ?? 0;
}
