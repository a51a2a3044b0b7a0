// The newest committed block of a shard's instance as a restart finds it: what its child has to know is stored beside it, and its state is the committed one.
import { invariant } from '../core/primitives/errors.ts';
import type { StateDatabase } from '../core/state/state-version.ts';
import { decodeParent } from '../runtime/shard-block-commits.ts';
import { factsOf, type ShardBlockOutcome } from '../runtime/shard-block-logic.ts';
import type { NewestBlock } from './load-instance.ts';

/** See the file's head. `parentRow` is what `encodeParent` made with the block. */
export function newestOutcome(
  { hash, block: { header }, record: { commitment, point } }: NewestBlock,
  database: StateDatabase,
  parentRow: Uint8Array | undefined,
  closes: boolean,
): ShardBlockOutcome {
  invariant(parentRow !== undefined, 'what the child of the newest block has to know is stored with it');
  const { height, timestampMs, baseFeePerGasWei } = header;
  const asParent = {
    hash,
    height,
    timestampMs,
    baseFeePerGasWei,
    referenceHeight: header.beaconReference.height,
    closes,
    ...decodeParent(parentRow),
  };
  return { hash, facts: factsOf(asParent), commitment, seed: point.seed, asParent, version: database.committed() };
}
