// What the child of a shard's block commits of its execution where there is a beacon (protocol, sections 3 and 5): beside the result the
// cursors after its inbox, the load, and the root of what it sent to other shards.
import { commitmentOf, commitmentOfRecord } from '../execution/commitment.ts';
import type { BlockResult, DecodedBlock } from '../execution/executed-block.ts';
import type { ExecutionCommitment } from '../protocol/block.ts';
import type { StateVersion } from '../state/state-version.ts';
import type { ShardInstance } from './beacon-view.ts';
import { loadOfBlock } from './shard-load.ts';
import type { JudgedShardBlock } from './validate-shard-block.ts';

/** What a commitment is made of. */
export interface ShardCommitmentInput {
  readonly instance: Pick<ShardInstance, 'shard'>;
  readonly block: Pick<DecodedBlock, 'transactions'>;
  readonly judged: Pick<JudgedShardBlock, 'inbox' | 'backlog'>;
  readonly result: BlockResult;
  /** The state that the result leads to. */
  readonly state: Pick<StateVersion, 'root' | 'leafCount'>;
  /** Its leaves by descendant (state-version.ts). */
  readonly leafCounts: readonly number[];
}

/** See the file's head. */
export function shardCommitmentOf({ instance, block, judged, result, state, leafCounts }: ShardCommitmentInput): ExecutionCommitment {
  const { inbox, backlog } = judged;
  const load = loadOfBlock({
    shard: instance.shard,
    transactions: block.transactions,
    inbox: inbox.messages,
    backlog,
    leafCount: state.leafCount,
    leafCounts,
  });
  return commitmentOf(result, state.root, { cursors: inbox.cursors, load });
}

/** What the first header of an instance commits: the record's state root, empty results, and the cursors with which the record starts. */
export function commitmentOfShardRecord({ record, cursors }: Pick<ShardInstance, 'record' | 'cursors'>): ExecutionCommitment {
  return { ...commitmentOfRecord(record.stateRoot), cursors: [...cursors] };
}
