// What a committed beacon block writes: the state after it, whole. The newest is what a restart begins with; older ones are what shard blocks
// refer to, and are kept for a while. The last block of an epoch writes the record of the next instance too, in one with itself.
import type { BeaconConstants } from '../core/beacon/constants.ts';
import { isLastOfEpoch } from '../core/beacon/epochs.ts';
import { beaconStartRecord } from '../core/beacon/instance.ts';
import { BeaconState } from '../core/beacon/state.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Height } from '../core/primitives/ids.ts';
import { StartRecord } from '../core/protocol/committee.ts';
import { decodeCanonical } from '../core/protocol/ssz.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import type { BeaconStore } from '../storage/beacon-store.ts';
import { encodeAnchoredOutbox } from './anchored-outbox.ts';
import type { ExecutedBeaconOutcome } from './beacon-logic.ts';
import type { CommitRows } from './chain-logic.ts';

/** States kept, in blocks before the newest: four minutes of a devnet. */
const STATES_KEPT = 1_024;

/** What writing the beacon's commits needs of its node. */
export interface BeaconCommitsDependencies {
  readonly constants: BeaconConstants;
  readonly beaconStore: BeaconStore;
  /** What others write with the block. */
  readonly rowsOf: (outcome: ExecutedBeaconOutcome) => readonly RowOperation[];
  readonly onCommitted: (outcome: ExecutedBeaconOutcome) => void;
}

/** See the file's head. */
export function createBeaconCommits({
  constants,
  beaconStore,
  rowsOf,
  onCommitted,
}: BeaconCommitsDependencies): CommitRows<ExecutedBeaconOutcome> {
  return {
    rowsOf: (outcome): readonly RowOperation[] => {
      const { facts, hash, seed, state, applied } = outcome;
      const { height, timestampMs } = facts;
      return [
        ...applied.anchoredOutboxes.flatMap((outbox) => beaconStore.putOutbox(outbox.source, outbox.height, encodeAnchoredOutbox(outbox))),
        ...beaconStore.putPoint(height, { hash, timestampMs, seed }),
        ...beaconStore.putState(height, encodeBeaconState(state)),
        ...staleStates(beaconStore, constants, height),
        ...(isLastOfEpoch(height, constants.parameters)
          ? beaconStore.putRecord(StartRecord.serialize(beaconStartRecord(constants, state, hash)))
          : []),
        ...rowsOf(outcome),
      ];
    },
    written: onCommitted,
  };
}

// Those that an instance starts from stay until the instance after it has ended.
function staleStates(beaconStore: BeaconStore, { parameters }: BeaconConstants, height: Height): readonly RowOperation[] {
  const stale = height - Math.max(STATES_KEPT, 3 * parameters.epochBlocks);
  return beaconStore.dropState(stale);
}

/** The row's value. */
export function encodeBeaconState(state: BeaconState): Uint8Array {
  return BeaconState.serialize(state as Parameters<typeof BeaconState.serialize>[0]);
}

/** Reads a row of our own. */
export function decodeBeaconState(bytes: Uint8Array): BeaconState {
  const decoded = decodeCanonical(BeaconState, bytes);
  invariant(decoded.ok, 'a stored state decodes');
  return decoded.value;
}
