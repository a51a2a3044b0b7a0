// Undoing what a node has committed of a shard and the beacon will never make final (protocol, section 6): by a takeover the body of the last crosslinked
// header and all blocks above it, because no header commits them; in a fork, which takes more than a third of dishonest seats in the committee, the
// blocks of the side that lost. It was reported as pending and as nothing else. All of it goes in one batch, so that a crash leaves it done or not; how much it can be is
// bounded by how far a shard may run ahead of what is anchored (UNANCHORED_BLOCKS_MAX).
import type { KnownInstance } from '../core/beacon/state.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Height, Wei } from '../core/primitives/ids.ts';
import { Block } from '../core/protocol/certified-block.ts';
import type { StartRecord } from '../core/protocol/committee.ts';
import { storedValue } from '../core/protocol/ssz.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import type { StateDatabase, StateVersion } from '../core/state/state-version.ts';
import type { TransactionDirectory } from '../runtime/transaction-directory.ts';
import type { NodePorts } from './create-node.ts';
import type { NodeStores } from './node-stores.ts';

/** What undoing needs of its node. */
export interface RollbackDependencies extends Pick<NodePorts, 'store'>, Pick<NodeStores, 'blockStore' | 'shardStore' | 'viewStore'> {
  readonly states: StateDatabase;
  readonly directory: TransactionDirectory;
}

/** What was undone. */
export interface Undone {
  /** The blocks' executions above this height are void. */
  readonly height: Height;
  readonly blocks: number;
  /** Charged in them, in their order: they wait again. */
  readonly transactions: readonly Transaction[];
  /** The committed state from now on. */
  readonly version: StateVersion;
  /** What the next block's transactions pay at least. */
  readonly baseFeePerGasWei: Wei;
}

/** Makes the state the one that `successor` starts from. The blocks of the instance stay: whoever is behind asks for them. */
export function undoTakenOver(dependencies: RollbackDependencies, known: KnownInstance, successor: StartRecord): Promise<Undone> {
  const { instanceId, record } = known;
  const { height, baseFeePerGasWei } = successor;
  // The body of the last crosslinked header is void; of a record there is none.
  const keptHeight = Math.max(record.height, height - 1);
  const marks = dependencies.blockStore.putTakenOver({ chain: record.shard, instanceId, height });
  return undo(dependencies, known, { height: keptHeight, knownAs: height, baseFeePerGasWei, rows: marks });
}

/** Takes an instance back to a height that its anchored branch has too. */
export async function undoLosingBranch(dependencies: RollbackDependencies, known: KnownInstance, height: Height): Promise<Undone> {
  const { instanceId, record } = known;
  const place = { chain: record.shard, instanceId, height };
  const stored = height === record.height ? undefined : dependencies.blockStore.getByHeight(place);
  invariant(height === record.height || stored !== undefined, 'a branch begins at a block, or at the record');
  const { baseFeePerGasWei } = stored === undefined ? record : storedValue(Block, stored.block).header;
  const rows = await dependencies.blockStore.removeAbove(place, record.height);
  return undo(dependencies, known, { height, knownAs: height, baseFeePerGasWei, rows });
}

interface Target {
  readonly height: Height;
  readonly knownAs: Height;
  readonly baseFeePerGasWei: Wei;
  readonly rows: readonly RowOperation[];
}

async function undo(dependencies: RollbackDependencies, known: KnownInstance, target: Target): Promise<Undone> {
  const { store, states, shardStore, viewStore } = dependencies;
  const { shard } = known.record;
  const { height, baseFeePerGasWei } = target;
  const newest = states.committed().height;
  const transactions = await transactionsAbove(dependencies, known, height, newest);
  const { version, operations } = await states.rollbackTo(height, target.knownAs);
  const rows: RowOperation[] = [...operations, ...target.rows];
  for (let each = height + 1; each <= newest; each++)
    rows.push(...viewStore.dropExecution(shard, each), ...shardStore.dropSent(shard, each));
  for (const { hash } of transactions) rows.push(...viewStore.dropCharged(hash));
  await store.write(rows, { sync: true });
  states.adopted(version);
  return { height, blocks: newest - height, transactions, version, baseFeePerGasWei };
}

async function transactionsAbove(
  { blockStore, directory }: RollbackDependencies,
  { instanceId, record }: KnownInstance,
  height: Height,
  newest: Height,
): Promise<readonly Transaction[]> {
  const transactions: Transaction[] = [];
  for (let each = height + 1; each <= newest; each++) {
    const stored = blockStore.getByHeight({ chain: record.shard, instanceId, height: each });
    invariant(stored !== undefined, 'what was executed is on disk');
    const raws = storedValue(Block, stored.block).body.transactions;
    for (const decoded of await directory.decode(raws)) {
      invariant(decoded.ok, 'a transaction of a committed block decodes');
      transactions.push(decoded.value);
    }
  }
  return transactions;
}
