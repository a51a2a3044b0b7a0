// What a block takes of the one before it, where there is a beacon. The first block of an instance stands on the start record, whose root is
// its parent hash (protocol, section 3); what the parent's *execution* came to is in the commitment beside it (shard-commitment.ts).
import type { DecodedBlock } from '../execution/executed-block.ts';
import type { Bytes32, ChainId, Height, TimestampMs, Wei } from '../primitives/ids.ts';
import type { ShardInstance } from './beacon-view.ts';
import type { JudgedShardBlock } from './validate-shard-block.ts';

/** The parent of a block to be built or checked. */
export interface ShardParent {
  readonly hash: Bytes32;
  readonly height: Height;
  readonly timestampMs: TimestampMs;
  /** What the child's transactions pay at least. */
  readonly baseFeePerGasWei: Wei;
  /** No child's reference is below: of a record its own beacon block. */
  readonly referenceHeight: Height;
  /** Nothing but carriers follows. */
  readonly closes: boolean;
  /** Weight of new transactions sent to each other shard by the blocks with this reference up to here (ration.ts). */
  readonly rationUsed: ReadonlyMap<ChainId, number>;
  /** True when its execution has results that only a following block makes final. */
  readonly hasItems: boolean;
}

/** A block as a parent, after it was judged. */
export function parentOfBlock(block: DecodedBlock, { inbox, closes, rationUsed }: JudgedShardBlock): ShardParent {
  const { height, timestampMs, baseFeePerGasWei, beaconReference } = block.header;
  const hasItems = block.transactions.length > 0 || inbox.messages.length > 0;
  return { hash: block.hash, height, timestampMs, baseFeePerGasWei, referenceHeight: beaconReference.height, closes, rationUsed, hasItems };
}

/** A start record as the parent of its instance's first block. */
export function parentOfRecord({ record, recordRoot }: ShardInstance): ShardParent {
  const { height, timestampMs, baseFeePerGasWei, beaconHeight } = record;
  const rationUsed = new Map<ChainId, number>();
  return {
    hash: recordRoot,
    height,
    timestampMs,
    baseFeePerGasWei,
    referenceHeight: beaconHeight,
    closes: false,
    rationUsed,
    hasItems: false,
  };
}
