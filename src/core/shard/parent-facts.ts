// What a block takes from the one before it. The first block of an instance stands on the start record instead of a block: the
// record's root is its parent hash (protocol, section 3), and its commitment is the record's state with empty results.
import { commitmentOfRecord } from '../execution/commitment.ts';
import type { DecodedBlock } from '../execution/executed-block.ts';
import type { Bytes32, Height, TimestampMs, Wei } from '../primitives/ids.ts';
import type { ExecutionCommitment } from '../protocol/block.ts';
import type { Instance } from '../protocol/committee.ts';

/** The parent of a block to be built or checked. */
export interface ParentFacts {
  readonly hash: Bytes32;
  readonly height: Height;
  readonly timestampMs: TimestampMs;
  /** What the child's transactions pay. */
  readonly baseFeePerGasWei: Wei;
  /** True when its execution has results that only a following block makes final. */
  readonly hasItems: boolean;
}

/** The facts of a block as a parent. */
export function factsOfBlock(block: DecodedBlock): ParentFacts {
  const { height, timestampMs, baseFeePerGasWei } = block.header;
  return { hash: block.hash, height, timestampMs, baseFeePerGasWei, hasItems: block.transactions.length > 0 };
}

/** The facts of a start record as the parent of its instance's first block. */
export function factsOfStart(instance: Instance): ParentFacts {
  const { height, timestampMs, baseFeePerGasWei } = instance.startRecord;
  return { hash: instance.startRecordRoot, height, timestampMs, baseFeePerGasWei, hasItems: false };
}

/** What the first header of an instance commits: the record's state root and empty results. */
export function commitmentOfStart(instance: Instance): ExecutionCommitment {
  return commitmentOfRecord(instance.startRecord.stateRoot);
}
