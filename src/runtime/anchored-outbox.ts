// What a source sent and where that became final, as a node keeps it: shards read it at their references.
import { ContainerType } from '@chainsafe/ssz';
import type { AnchoredOutbox as Anchored } from '../core/beacon/anchoring.ts';
import type { AnchoredOutbox } from '../core/messaging/lane-view.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Height } from '../core/primitives/ids.ts';
import { OutboxSummary } from '../core/protocol/outbox.ts';
import { decodeCanonical, Uint32, Uint64 } from '../core/protocol/ssz.ts';

const AnchoredOutboxRow = new ContainerType(
  { summary: OutboxSummary, beaconHeight: Uint64, operationIndex: Uint32 },
  { typeName: 'AnchoredOutboxRow', jsonCase: 'eth2' },
);

/** As the lanes read it. */
export function toLaneOutbox({ height, summary, beaconHeight, operationIndex }: Omit<Anchored, 'source'>): AnchoredOutbox {
  return { height, anchor: { beaconHeight, operationIndex, headerHeight: height + 1 }, summary };
}

/** The row's value. */
export function encodeAnchoredOutbox({ summary, beaconHeight, operationIndex }: Anchored): Uint8Array {
  return AnchoredOutboxRow.serialize({ summary, beaconHeight, operationIndex });
}

/** Reads a row of our own: what was emitted at this height. */
export function decodeAnchoredOutbox(height: Height, bytes: Uint8Array): AnchoredOutbox {
  const decoded = decodeCanonical(AnchoredOutboxRow, bytes);
  invariant(decoded.ok, 'a stored outbox decodes');
  return toLaneOutbox({ height, ...decoded.value });
}
