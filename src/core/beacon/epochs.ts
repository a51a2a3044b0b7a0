// Epochs in beacon heights (protocol, section 6): block h (from 1 on) is of epoch floor((h − 1) / epochBlocks); height 0 is genesis, before
// epoch 0. The last block of an epoch has no body and closes the beacon's instance; the last but one runs the epoch's transition.
import type { Epoch, Height } from '../primitives/ids.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';

/** What decides where epochs begin and end. */
export type EpochLength = Pick<NetworkParameters, 'epochBlocks'>;

/** The epoch of a beacon block; genesis counts as the first, for what refers to it starts there. */
export function epochOfHeight(height: Height, { epochBlocks }: EpochLength): Epoch {
  return height === 0 ? 0 : Math.floor((height - 1) / epochBlocks);
}

/** The height of an epoch's last block. */
export function lastHeightOfEpoch(epoch: Epoch, { epochBlocks }: EpochLength): Height {
  return (epoch + 1) * epochBlocks;
}

/** True for the first block of an epoch. */
export function isFirstOfEpoch(height: Height, { epochBlocks }: EpochLength): boolean {
  return height % epochBlocks === 1;
}

/** True for the last block of an epoch. */
export function isLastOfEpoch(height: Height, { epochBlocks }: EpochLength): boolean {
  return height > 0 && height % epochBlocks === 0;
}

/** True for the block whose last step is the epoch's transition. */
export function runsEpochTransition(height: Height, { epochBlocks }: EpochLength): boolean {
  return height % epochBlocks === epochBlocks - 1;
}
