// How messages travel between the nodes of a simulation: latency, loss, copies and one-way cuts, all of which a fault may change while it
// runs. A cut link is another thing (memory-network.ts): there both ends see that the other is gone; here nobody is told.
import type { PeerName } from '../network/ports.ts';
import type { SeededRandom } from './random.ts';
import type { Mute } from './silent-shard.ts';

/** What every message of a simulation goes through. */
export interface LinkConditions {
  /** Median of one way. */
  latencyMs: number;
  /** On top of it, uniformly up to this much: above the interval of messages it changes their order. */
  jitterMs: number;
  /** On top of it instead, of most messages less than this and of a few many times as much: see `HEAVY_TAIL_MAX`. */
  isHeavyTailed: boolean;
  lossShare: number;
  duplicateShare: number;
  /** Instead of `latencyMs`, from one node to another: a matrix of regions. */
  latencyOf: ((from: PeerName, to: PeerName) => number) | undefined;
  /** Directions in which nothing arrives, as `from to`. */
  readonly silenced: Set<string>;
  /** Directions that take so much longer, in milliseconds. */
  readonly slower: Map<string, number>;
  /** What some do not hear of what others say in a chain. */
  readonly mutes: Set<Mute>;
}

/** When copies of a message arrive. */
export interface Links {
  /** Milliseconds from now: none for a message that is lost, two for one that comes twice. */
  arrivalsMs(from: PeerName, to: PeerName): readonly number[];
}

/** The most that a heavy tail makes of the jitter: so that a message still arrives in bounded time. */
export const HEAVY_TAIL_MAX = 40;
/** Of a Pareto distribution in Lomax's form, from 0 on: below 2, it has no variance but what the bound leaves it. */
const HEAVY_TAIL_SHAPE = 1.5;

const LOST: readonly number[] = [];

/** Quiet conditions: to be changed by faults. */
export function quietConditions(latencyMs: number): LinkConditions {
  return {
    latencyMs,
    jitterMs: latencyMs / 4,
    isHeavyTailed: false,
    lossShare: 0,
    duplicateShare: 0,
    latencyOf: undefined,
    silenced: new Set(),
    slower: new Map(),
    mutes: new Set(),
  };
}

/** The name of a direction in `silenced`. */
export function direction(from: PeerName, to: PeerName): string {
  return `${from} ${to}`;
}

/** Links under conditions that may change. */
export function linksUnder(conditions: LinkConditions, random: SeededRandom): Links {
  const jitter = (): number => {
    const chosen = random.next();
    return conditions.isHeavyTailed ? Math.min(HEAVY_TAIL_MAX, (1 - chosen) ** (-1 / HEAVY_TAIL_SHAPE) - 1) : chosen;
  };
  const delayMs = (from: PeerName, to: PeerName): number => {
    const slowerMs = conditions.slower.size === 0 ? 0 : (conditions.slower.get(direction(from, to)) ?? 0);
    return (conditions.latencyOf?.(from, to) ?? conditions.latencyMs) + slowerMs + jitter() * conditions.jitterMs;
  };
  return {
    arrivalsMs(from, to) {
      if (conditions.silenced.size > 0 && conditions.silenced.has(direction(from, to))) return LOST;
      if (conditions.lossShare > 0 && random.chance(conditions.lossShare)) return LOST;
      const first = delayMs(from, to);
      const isDoubled = conditions.duplicateShare > 0 && random.chance(conditions.duplicateShare);
      return isDoubled ? [first, delayMs(from, to)] : [first];
    },
  };
}
