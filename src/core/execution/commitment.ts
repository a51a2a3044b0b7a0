// The execution commitment: the result of a block as the header of its child carries it (protocol, section 5). Voters check it by computing the same.

import { ZERO_32 } from '../primitives/bytes.ts';
import type { Bytes32 } from '../primitives/ids.ts';
import type { Cursor, ExecutionCommitment, Load } from '../protocol/block.ts';
import { LOAD_DESCENDANTS } from '../protocol/limits.ts';
import type { LoadEntry } from '../protocol/load-type.ts';
import type { BlockResult } from './executed-block.ts';
import { receiptsRootOf } from './item-receipt.ts';

const BLOOM_BYTES = 256;
const NO_LOAD: LoadEntry = { gas: 0, backlog: 0, stateLeaves: 0 };

/** What a commitment says of lanes and load. */
export interface LaneCommitment {
  readonly cursors: readonly Cursor[];
  readonly load: Load;
}

/** Where nothing was taken and nothing is known of any load. */
export const NO_LANES: LaneCommitment = {
  cursors: [],
  load: { whole: NO_LOAD, descendants: Array.from({ length: LOAD_DESCENDANTS }, () => NO_LOAD) },
};

/** The commitment of a block's result and the root of the state that it leads to. */
export function commitmentOf(
  result: Pick<BlockResult, 'receiptsRoot' | 'outboxRoot' | 'gasUsed' | 'logsBloom' | 'proposerFeesWei' | 'burnedFeesWei'>,
  stateRoot: Bytes32,
  lanes: LaneCommitment,
): ExecutionCommitment {
  return {
    stateRoot,
    receiptsRoot: result.receiptsRoot,
    outboxRoot: result.outboxRoot,
    gasUsed: result.gasUsed,
    logsBloom: result.logsBloom,
    cursors: [...lanes.cursors],
    load: lanes.load,
    proposerFeesWei: result.proposerFeesWei,
    burnedFeesWei: result.burnedFeesWei,
  };
}

/** What the first block of an instance commits: the record's state root, and empty results. */
export function commitmentOfRecord(stateRoot: Bytes32): ExecutionCommitment {
  return commitmentOf(
    {
      receiptsRoot: receiptsRootOf([]),
      outboxRoot: ZERO_32,
      gasUsed: 0,
      logsBloom: new Uint8Array(BLOOM_BYTES),
      proposerFeesWei: 0n,
      burnedFeesWei: 0n,
    },
    stateRoot,
    NO_LANES,
  );
}
