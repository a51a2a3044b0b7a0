// Many schedules, one after the other, each with faults drawn from its own seed; and what came of all of them together.
import { sha256 } from '../core/crypto/sha256.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import { STRATEGIES, type Strategy } from './adversaries/strategies.ts';
import type { Violation } from './checks/violation.ts';
import { ALL_FAULT_KINDS, type Fault, type FaultKind } from './faults.ts';
import { LINK_KINDS, type QuietLinks } from './quiet-links.ts';
import { runSchedule, type ScheduleReport } from './schedule.ts';
import type { WorldCrypto } from './world.ts';

const TEXT = new TextEncoder();
/** Schedules that one runner may be ahead of the slowest. */
const AHEAD_PER_RUNNER = 16;

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

/** What a schedule leaves when its log is let go. */
export type ScheduleResult = Omit<ScheduleReport, 'eventLog'>;

/** What came of it. */
export interface SwarmSummary {
  readonly schedules: number;
  readonly events: number;
  readonly simulatedSeconds: number;
  readonly transactions: number;
  /** Of these, those to contracts and creations. */
  readonly calls: number;
  readonly medianBlocks: number;
  readonly medianFaults: number;
  readonly medianFaultKinds: number;
  readonly injected: Readonly<Record<FaultKind['kind'], number>>;
  /** Schedules by how messages travelled when nothing was wrong. */
  readonly links: Readonly<Record<QuietLinks['kind'], number>>;
  /** Validators by what they did. */
  readonly dishonest: Readonly<Record<Strategy, number>>;
  readonly violations: readonly (Violation & { readonly seed: number })[];
  /** Over the hashes of all event logs, in the order of the schedules. */
  readonly eventLogHash: string;
}

/** Runs schedules until there are enough or the time is over; a violation ends its schedule, not the swarm. */
export async function runSwarm({ nodes, preset, crypto, faults, onReport, ...order }: SwarmOptions): Promise<SwarmSummary> {
  const tally = new SwarmTally();
  await runInOrder({
    ...order,
    width: 1,
    run: (seed) => runSchedule({ seed, nodes, preset, crypto: crypto(), ...(faults === undefined ? {} : { faults }) }),
    onResult: (report) => {
      onReport(report);
      tally.add(report);
    },
  });
  return tally.summary();
}

/** How schedules follow one another. */
export interface RunOrder<R> {
  readonly firstSeed: number;
  /** Undefined: no end but that of the time. */
  readonly schedules: number | undefined;
  /** Schedules that run at once. */
  readonly width: number;
  /** Asked before each schedule. */
  readonly mayGoOn: () => boolean;
  readonly run: (seed: number) => Promise<R>;
  /** Told of the results in the order of the seeds, whichever came first. */
  readonly onResult: (result: R) => void;
}

/** Runs seeds one after the other, several at once. Fails with the first failure of `run`, when those that had begun are over. */
export async function runInOrder<R>({ firstSeed, schedules, width, mayGoOn, run, onResult }: RunOrder<R>): Promise<void> {
  const endSeed = schedules === undefined ? Number.POSITIVE_INFINITY : firstSeed + schedules;
  const done = new Map<number, R>();
  const freed: (() => void)[] = [];
  let [nextSeed, nextResult, hasFailed] = [firstSeed, firstSeed, false];
  const deliver = (): void => {
    for (let result = done.get(nextResult); result !== undefined; result = done.get(nextResult)) {
      done.delete(nextResult++);
      onResult(result);
    }
    for (const free of freed.splice(0)) free();
  };
  // Nobody runs far ahead of the slowest, or its results would have no bound.
  const isTooFar = (): boolean => nextSeed - nextResult >= width * AHEAD_PER_RUNNER;
  const runner = async (): Promise<void> => {
    while (nextSeed < endSeed && !hasFailed && mayGoOn()) {
      if (isTooFar()) {
        await new Promise<void>((resolve) => freed.push(resolve));
        continue;
      }
      const seed = nextSeed++;
      try {
        done.set(seed, await run(seed));
      } catch (error) {
        hasFailed = true;
        throw error;
      } finally {
        deliver();
      }
    }
  };
  const runners = await Promise.allSettled(Array.from({ length: width }, runner));
  for (const outcome of runners) if (outcome.status === 'rejected') throw outcome.reason;
}

/** Adds up what schedules leave; they are given in the order of their seeds. */
export class SwarmTally {
  readonly #blocks: number[] = [];
  readonly #faultCounts: number[] = [];
  readonly #kindCounts: number[] = [];
  readonly #violations: (Violation & { readonly seed: number })[] = [];
  readonly #injected = Object.fromEntries(ALL_FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind['kind'], number>;
  readonly #links = Object.fromEntries(LINK_KINDS.map((kind) => [kind, 0])) as Record<QuietLinks['kind'], number>;
  readonly #dishonest = Object.fromEntries(STRATEGIES.map((strategy) => [strategy, 0])) as Record<Strategy, number>;
  #events = 0;
  #simulatedMs = 0;
  #transactions = 0;
  #calls = 0;
  #eventLogHash = '';

  /** Whether nothing was added yet. */
  isEmpty(): boolean {
    return this.#blocks.length === 0;
  }

  add(result: ScheduleResult): void {
    this.#events += result.events;
    this.#simulatedMs += result.simulatedMs;
    this.#transactions += result.transactions;
    this.#calls += result.calls;
    this.#eventLogHash = bytesToHex(sha256(TEXT.encode(`${this.#eventLogHash}${result.eventLogHash}`)));
    this.#blocks.push(result.blocks);
    this.#faultCounts.push(ALL_FAULT_KINDS.reduce((sum, kind) => sum + result.injected[kind], 0));
    this.#kindCounts.push(ALL_FAULT_KINDS.filter((kind) => result.injected[kind] > 0).length);
    for (const kind of ALL_FAULT_KINDS) this.#injected[kind] += result.injected[kind];
    this.#links[result.links]++;
    for (const { strategy } of result.dishonest) this.#dishonest[strategy]++;
    if (result.violation !== undefined) this.#violations.push({ ...result.violation, seed: result.seed });
  }

  summary(): SwarmSummary {
    return {
      schedules: this.#blocks.length,
      events: this.#events,
      simulatedSeconds: this.#simulatedMs / 1_000,
      transactions: this.#transactions,
      calls: this.#calls,
      medianBlocks: medianOf(this.#blocks),
      medianFaults: medianOf(this.#faultCounts),
      medianFaultKinds: medianOf(this.#kindCounts),
      injected: { ...this.#injected },
      links: { ...this.#links },
      dishonest: { ...this.#dishonest },
      violations: [...this.#violations],
      eventLogHash: this.#eventLogHash,
    };
  }
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >>> 1] ?? 0;
}
