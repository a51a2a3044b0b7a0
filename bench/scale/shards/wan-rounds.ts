// How long a round takes in a committee that lies in regions of a wide-area network, by the published round trips alone: the proposal to everybody,
// the votes of a quorum to the next leader (a QC), and the commit votes of a quorum to everybody (final). What processors take is not in it.
import { WAN_REGIONS, wanOneWayMs } from '../../../src/simulation/wan.ts';

/** Milliseconds from the proposal, on average over leaders. */
export interface RoundTrips {
  /** Until the next leader has the votes of a quorum. */
  readonly quorumMs: number;
  /** Until the middle member has the commit votes of a quorum. */
  readonly finalMs: number;
  /** Until the last member that a quorum needs has the proposal. */
  readonly spreadMs: number;
}

/** One way takes up to a tenth more than half of a round trip: half of that on average, as in machines.ts. */
const JITTER = 1.05;

/** Where a validator is: regions in turn. */
export function regionOf(validator: number): number {
  return validator % WAN_REGIONS.length;
}

/** Of a committee with so many members in each region. */
export function roundTripsOf(members: readonly number[]): RoundTrips {
  const counts = WAN_REGIONS.map((_name, region) => members.filter((validator) => regionOf(validator) === region).length);
  const size = members.length;
  const quorum = Math.floor((2 * size) / 3) + 1;
  // When each region has the votes of a quorum, by when each region sent its own.
  const quorumAt = (sentAtMs: readonly number[]): number[] =>
    counts.map((_count, to) =>
      nthSmallest(
        counts.map((count, from) => ({ count, ms: (sentAtMs[from] as number) + oneWayMs(from, to) })),
        quorum,
      ),
    );
  let [quorumMs, finalMs, spreadMs] = [0, 0, 0];
  for (const [leader, leaders] of counts.entries()) {
    if (leaders === 0) continue;
    const proposedAt = counts.map((_count, region) => oneWayMs(leader, region));
    const certifiedAt = quorumAt(proposedAt);
    const finalAt = quorumAt(certifiedAt);
    const mean = (values: readonly number[]): number => values.reduce((sum, ms, region) => sum + ms * (counts[region] as number), 0) / size;
    quorumMs += (leaders / size) * mean(certifiedAt);
    finalMs += (leaders / size) * mean(finalAt);
    spreadMs +=
      (leaders / size) *
      nthSmallest(
        counts.map((count, region) => ({ count, ms: proposedAt[region] as number })),
        quorum,
      );
  }
  return { quorumMs, finalMs, spreadMs };
}

function oneWayMs(from: number, to: number): number {
  return wanOneWayMs(from, to) * JITTER;
}

function nthSmallest(values: readonly { readonly count: number; readonly ms: number }[], place: number): number {
  let seen = 0;
  for (const { count, ms } of [...values].sort((a, b) => a.ms - b.ms)) {
    seen += count;
    if (seen >= place) return ms;
  }
  return Number.POSITIVE_INFINITY;
}
