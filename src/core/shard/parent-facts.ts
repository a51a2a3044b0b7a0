// What a block of any chain takes from the one before it. The first block of an instance stands on the start record instead of a block: the record's
// root is its parent hash (protocol, section 3).
import type { Bytes32, Height, TimestampMs, Wei } from '../primitives/ids.ts';

/** The parent of a block to be built or checked. */
export interface ParentFacts {
  readonly hash: Bytes32;
  readonly height: Height;
  readonly timestampMs: TimestampMs;
  /** What the child's transactions pay at least. */
  readonly baseFeePerGasWei: Wei;
  /** True when its execution has results that only a following block makes final. */
  readonly hasItems: boolean;
}
