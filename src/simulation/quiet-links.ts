// How messages travel in a schedule when nothing is wrong: evenly, with a heavy tail, or between regions of a wide-area network. Faults
// stand over it, and when they are over the network is as it was.
import type { PeerName } from '../network/ports.ts';
import { HEAVY_TAIL_MAX, type LinkConditions } from './links.ts';
import type { SeededRandom } from './random.ts';
import { WAN_REGIONS, wanOneWayMs } from './wan.ts';

/** All kinds, for counts. */
export const LINK_KINDS = ['uniform', 'heavy-tailed', 'wan'] as const;

/** One of them. */
export type LinkKind = (typeof LINK_KINDS)[number];

/** What of the links is said, and not drawn from the seed. */
export interface LinkChoice {
  readonly kind?: LinkKind;
  /** The median of one way, where it is not the distance of regions. */
  readonly latencyMs?: number;
}

/** See the file's head. */
export interface QuietLinks {
  readonly kind: LinkKind;
  readonly conditions: Pick<LinkConditions, 'latencyMs' | 'jitterMs' | 'isHeavyTailed' | 'latencyOf'>;
  /** The most that one way takes. */
  readonly slowestMs: number;
}

const WAN_SHARE = 0.2;
const HEAVY_TAILED_SHARE = 0.2;
const WAN_JITTER_MS = 3;

/** Draws how messages travel, as far as nobody says it; `drawnLatencyMs` is the median of one way where it is not the distance of regions. */
export function drawQuietLinks(random: SeededRandom, drawnLatencyMs: number, choice: LinkChoice = {}): QuietLinks {
  const drawn = kindAt(random.next());
  const { kind = drawn, latencyMs = drawnLatencyMs } = choice;
  const jitterMs = latencyMs / 4;
  const even = { latencyMs, jitterMs, isHeavyTailed: false, latencyOf: undefined };
  switch (kind) {
    case 'wan':
      return betweenRegions(random, even);
    case 'heavy-tailed':
      return { kind, conditions: { ...even, isHeavyTailed: true }, slowestMs: latencyMs + HEAVY_TAIL_MAX * jitterMs };
    case 'uniform':
      return { kind, conditions: even, slowestMs: latencyMs + jitterMs };
  }
}

function kindAt(chosen: number): LinkKind {
  if (chosen < WAN_SHARE) return 'wan';
  return chosen < WAN_SHARE + HEAVY_TAILED_SHARE ? 'heavy-tailed' : 'uniform';
}

// Each validator in a region, its twin beside it.
function betweenRegions(random: SeededRandom, even: QuietLinks['conditions']): QuietLinks {
  const places = Array.from({ length: WAN_REGIONS.length }, () => random.integer(0, WAN_REGIONS.length));
  const regionOf = (name: PeerName): number => places[Number(/^node-(\d+)/.exec(name)?.[1] ?? 0) % places.length] as number;
  const latencyOf = (from: PeerName, to: PeerName): number => wanOneWayMs(regionOf(from), regionOf(to));
  const slowestMs = Math.max(...places.flatMap((from) => places.map((to) => wanOneWayMs(from, to)))) + WAN_JITTER_MS;
  return { kind: 'wan', conditions: { ...even, jitterMs: WAN_JITTER_MS, latencyOf }, slowestMs };
}
