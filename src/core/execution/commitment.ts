// The execution commitment: the result of a block as the header of its child carries it (protocol, section 5). Without a beacon and further
// shards some fields have exactly one permitted value; voters check them by computing the same commitment.

import { ZERO_32 } from '../primitives/bytes.ts';
import type { Bytes32 } from '../primitives/ids.ts';
import type { Cursor, ExecutionCommitment, Load, LoadEntry } from '../protocol/block.ts';
import { LOAD_DESCENDANTS } from '../protocol/limits.ts';
import type { BlockResult } from './executed-block.ts';
import { receiptsRootOf } from './item-receipt.ts';

const BLOOM_BYTES = 256;
const NO_LOAD: LoadEntry = { gas: 0, backlog: 0, stateLeaves: 0 };

/** The one permitted value of the fields that have no use before there are more shards. */
export const permittedExecutionDefaults = {
  /** No bundle leaves the only shard. */
  outboxRoot: ZERO_32,
  /** No lane comes in. */
  cursors: [],
  /** No message waits elsewhere. */
  backlog: 0,
  /** Leaves are counted when the layout controller reads them. */
  stateLeaves: 0,
  /** Shares of descendants are measured when there are any. */
  descendants: Array.from({ length: LOAD_DESCENDANTS }, () => NO_LOAD),
} as const;

/** What a commitment says of lanes and load. */
export interface LaneCommitment {
  readonly cursors: readonly Cursor[];
  readonly load: Load;
}

/** The commitment of a block's result and the root of the state that it leads to; without lanes there is one shard. */
export function commitmentOf(
  result: Pick<BlockResult, 'receiptsRoot' | 'outboxRoot' | 'gasUsed' | 'logsBloom' | 'proposerFeesWei' | 'burnedFeesWei'>,
  stateRoot: Bytes32,
  lanes: LaneCommitment = { cursors: permittedExecutionDefaults.cursors, load: loadOf(result.gasUsed) },
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
      outboxRoot: permittedExecutionDefaults.outboxRoot,
      gasUsed: 0,
      logsBloom: new Uint8Array(BLOOM_BYTES),
      proposerFeesWei: 0n,
      burnedFeesWei: 0n,
    },
    stateRoot,
  );
}

function loadOf(gasBought: number): Load {
  const { backlog, stateLeaves, descendants } = permittedExecutionDefaults;
  return { whole: { gas: gasBought, backlog, stateLeaves }, descendants: [...descendants] };
}
