// Health: green while every followed chain commits. An idle chain makes a block every `idleInterval`, so one that has made none for
// several round timeouts is stalled, whatever the reason.
import type { TimestampMs } from '../core/primitives/ids.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';

/** What is known of one chain. */
export interface ChainProgress {
  readonly chain: number;
  readonly committedHeight: number;
  readonly finalizedHeight: number;
  readonly round: number;
  /** When the newest block was committed here, or when the node started. */
  readonly lastCommitMs: TimestampMs;
  /** Height that is missing here and being fetched. */
  readonly catchingUpTo: number | undefined;
}

/** The answer of `/health`. */
export interface Health {
  readonly healthy: boolean;
  readonly peers: number;
  readonly chains: readonly (ChainProgress & { readonly stalled: boolean; readonly silentMs: number })[];
}

/** Judges all chains at a moment. */
export function healthOf(
  chains: readonly ChainProgress[],
  peers: number,
  nowMs: TimestampMs,
  parameters: Pick<NetworkParameters, 'idleIntervalMs' | 'roundTimeoutMs'>,
): Health {
  const silentMsMax = stallAfterMs(parameters);
  const judged = chains.map((chain) => {
    const silentMs = nowMs - chain.lastCommitMs;
    return { ...chain, silentMs, stalled: silentMs > silentMsMax };
  });
  return { healthy: judged.every(({ stalled }) => !stalled), peers, chains: judged };
}

/** Silence after which a chain counts as stalled: two idle waits and four round timeouts, which a leader change or two may take. */
export function stallAfterMs({ idleIntervalMs, roundTimeoutMs }: Pick<NetworkParameters, 'idleIntervalMs' | 'roundTimeoutMs'>): number {
  return 2 * idleIntervalMs + 4 * roundTimeoutMs;
}
