// Health: green while every followed chain runs, commits, and what it commits becomes final for clients. An idle chain makes a block every
// `idleInterval`, the beacon takes up what shards commit, and a view block follows from each of the beacon's: so what stands still for several
// round timeouts is stalled, whatever the reason.
import type { TimestampMs } from '../core/primitives/ids.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';

/** What is known of one chain. */
export interface ChainProgress {
  readonly chain: number;
  /** False where the layout has a shard of which this node runs no chain: its state or its record is missing here. */
  readonly isRunning: boolean;
  readonly committedHeight: number;
  /** Of the beacon the newest view block; of a shard the newest height that a view block shows. */
  readonly finalizedHeight: number;
  readonly round: number;
  /** When the newest block was committed here, or since when the chain is followed. */
  readonly lastCommitMs: TimestampMs;
  /** When the finalized height last rose here, or since when the chain is followed. */
  readonly lastFinalMs: TimestampMs;
  /** Height that is missing here and being fetched. */
  readonly catchingUpTo: number | undefined;
}

/** What is wrong with a chain. */
export type ChainProblem = 'not-running' | 'commits-nothing' | 'nothing-becomes-final';

/** A chain, judged. */
export interface ChainHealth extends ChainProgress {
  readonly stalled: boolean;
  readonly problem: ChainProblem | undefined;
  readonly silentMs: number;
  readonly notFinalMs: number;
}

/** The answer of `/health`. */
export interface Health {
  readonly healthy: boolean;
  readonly peers: number;
  readonly chains: readonly ChainHealth[];
}

/** What decides for how long a healthy chain may be silent. */
export type HealthTiming = Pick<NetworkParameters, 'idleIntervalMs' | 'roundTimeoutMs'>;

/** Judges all chains at a moment. */
export function healthOf(chains: readonly ChainProgress[], peers: number, nowMs: TimestampMs, timing: HealthTiming): Health {
  const judged = chains.map((chain): ChainHealth => {
    const [silentMs, notFinalMs] = [nowMs - chain.lastCommitMs, nowMs - chain.lastFinalMs];
    const problem = problemOf({ ...chain, silentMs, notFinalMs }, timing);
    return { ...chain, silentMs, notFinalMs, stalled: problem !== undefined, problem };
  });
  return { healthy: judged.every(({ stalled }) => !stalled), peers, chains: judged };
}

/** Silence after which a chain counts as stalled: two idle waits and four round timeouts, which a leader change or two may take. */
export function stallAfterMs({ idleIntervalMs, roundTimeoutMs }: HealthTiming): number {
  return 2 * idleIntervalMs + 4 * roundTimeoutMs;
}

/** The same for what clients see of it: a result is committed by the next block of its chain, and final by one of the beacon's. */
export function notFinalAfterMs(timing: HealthTiming): number {
  return 2 * stallAfterMs(timing);
}

function problemOf(
  { isRunning, silentMs, notFinalMs }: Pick<ChainHealth, 'isRunning' | 'silentMs' | 'notFinalMs'>,
  timing: HealthTiming,
): ChainProblem | undefined {
  if (silentMs > stallAfterMs(timing)) return isRunning ? 'commits-nothing' : 'not-running';
  return notFinalMs > notFinalAfterMs(timing) ? 'nothing-becomes-final' : undefined;
}
