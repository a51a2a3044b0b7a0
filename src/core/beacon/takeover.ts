// Takeover (protocol, section 6): no operation but a rule. At the end of a beacon block, after all crosslinks, a record that is open, of an earlier
// epoch and more than `takeoverGraceBlocks` beacon blocks after its epoch's last is closed by the beacon at its last crosslinked header X. So one
// committee that died stops its own shard for that long, and the tree for no longer.
//
// The state is the one that X commits, its parent's result: X's own body is void, with its inbox reads and its outbox, because no header commits
// it. The height is X's. Later headers of the instance are never accepted.
import type { BeaconConstants } from './constants.ts';
import { epochOfHeight, lastHeightOfEpoch } from './epochs.ts';
import type { BeaconState, RecordEntry } from './state.ts';

/** Closes what is to be taken over in the block at `state.height`. */
export function takeOverStalled(constants: BeaconConstants, state: BeaconState): BeaconState {
  if (!state.records.some((entry) => isStalled(constants, state, entry))) return state;
  // `progress` is X, or the record itself where no header was crosslinked: it stays as it is.
  const records = state.records.map((entry) => (isStalled(constants, state, entry) ? { ...entry, closed: true } : entry));
  return { ...state, records };
}

function isStalled({ parameters }: BeaconConstants, { height }: BeaconState, { record, closed }: RecordEntry): boolean {
  if (closed || record.epoch >= epochOfHeight(height, parameters)) return false;
  return height > lastHeightOfEpoch(record.epoch, parameters) + parameters.takeoverGraceBlocks;
}
