// How far apart the regions of a real wide-area network are: average round trips that a provider of clouds publishes. Nodes of a
// simulation are put into regions; what one way takes is half a round trip.
//
// Source: IBM Cloud Docs, Virtual Private Cloud, "Network latency dashboards", inter-region latency of 27 July to 25 August 2024 (from
// the row's region to the column's), and for two zones of one region the inter-zone latency of the same page (1.8 to 2.2 ms).

/** Regions of the matrix, in its order. */
export const WAN_REGIONS = [
  'Dallas',
  'Toronto',
  'Washington',
  'Frankfurt',
  'London',
  'Madrid',
  'Osaka',
  'Sydney',
  'Tokyo',
  'Sao Paulo',
] as const;

const ZONES = 2;

/** Average round trips in milliseconds, from the row's region to the column's; on the diagonal, between two zones of a region. */
export const WAN_ROUND_TRIP_MS: readonly (readonly number[])[] = [
  [ZONES, 34, 31, 123, 113, 119, 150, 186, 143, 146],
  [34, ZONES, 19, 93, 82, 108, 168, 215, 162, 129],
  [31, 19, ZONES, 91, 75, 87, 172, 214, 164, 118],
  [123, 93, 91, ZONES, 13, 29, 232, 250, 233, 198],
  [113, 83, 75, 13, ZONES, 27, 244, 261, 243, 188],
  [122, 106, 88, 29, 27, ZONES, 257, 275, 258, 209],
  [150, 169, 172, 231, 243, 257, ZONES, 122, 9, 293],
  [186, 214, 214, 249, 261, 275, 122, ZONES, 115, 328],
  [143, 162, 166, 233, 244, 256, 9, 115, ZONES, 284],
  [144, 128, 119, 196, 187, 208, 291, 328, 283, ZONES],
];

/** What one way from one region to another takes, in milliseconds. Regions are places in `WAN_REGIONS`. */
export function wanOneWayMs(from: number, to: number): number {
  const roundTripMs = WAN_ROUND_TRIP_MS[from]?.[to];
  if (roundTripMs === undefined) throw new RangeError(`regions are numbered from 0 to ${WAN_REGIONS.length - 1}, got ${from} and ${to}`);
  return roundTripMs / 2;
}
