// What a committed shard block writes where there is a beacon: its state, what it sent to other shards, and what its child has to know of it.
import { ContainerType, ListCompositeType } from '@chainsafe/ssz';
import type { Outbox } from '../core/messaging/outbox.ts';
import { bytesEqual } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { ChainId, Height } from '../core/primitives/ids.ts';
import { SHARDS_MAX } from '../core/protocol/limits.ts';
import { outboxRootOf } from '../core/protocol/outbox.ts';
import { decodeCanonical, Uint8, Uint64 } from '../core/protocol/ssz.ts';
import type { ShardParent } from '../core/shard/shard-parent.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import type { StateDatabase } from '../core/state/state-version.ts';
import type { ShardStore } from '../storage/shard-store.ts';
import type { BeaconWindow } from './beacon-window.ts';
import { type BundleShelf, encodeSent } from './bundle-shelf.ts';
import type { CommitRows } from './chain-logic.ts';
import type { ExecutedShardBlockOutcome } from './shard-block-logic.ts';

const Ration = new ContainerType({ shard: Uint64, weight: Uint64 }, { typeName: 'RationUsed', jsonCase: 'eth2' });

/** Of a parent, what its header does not say. */
const ParentRow = new ContainerType(
  { hasItems: Uint8, rationUsed: new ListCompositeType(Ration, SHARDS_MAX) },
  { typeName: 'ShardParentRow', jsonCase: 'eth2' },
);

/** What writing a shard's commits needs of its node. */
export interface ShardBlockCommitsDependencies {
  readonly shard: ChainId;
  readonly states: StateDatabase;
  readonly shardStore: ShardStore;
  readonly shelf: BundleShelf;
  /** The committed beacon: up to which height the shard's executions are anchored, if at all. */
  readonly window: Pick<BeaconWindow, 'newest' | 'anchoredSummary'>;
  /** What others write with the block. */
  readonly rowsOf: (outcome: ExecutedShardBlockOutcome) => readonly RowOperation[];
  readonly onCommitted: (outcome: ExecutedShardBlockOutcome) => void;
}

/** See the file's head. */
export function createShardBlockCommits(dependencies: ShardBlockCommitsDependencies): CommitRows<ExecutedShardBlockOutcome> {
  const { shard, states, shardStore, shelf, window, rowsOf, onCommitted } = dependencies;
  return {
    rowsOf: (outcome): readonly RowOperation[] => {
      const { version, asParent, outbox } = outcome;
      return [
        ...states.commit(version),
        ...shardStore.putParent(shard, asParent.height, encodeParent(asParent)),
        ...(outbox.bundles.length === 0 ? [] : shardStore.putSent(shard, outcome.facts.height, encodeSent(outbox))),
        ...rowsOf(outcome),
      ];
    },
    written: (outcome) => {
      states.adopted(outcome.version);
      // A node that is behind may have heard of the anchor before it has the block.
      const { height } = outcome.facts;
      shelf.put(shard, height, outcome.outbox, 'stored', heldSinceOf(window, shard, height, outcome.outbox));
      onCommitted(outcome);
    },
  };
}

/** Since which beacon block what a shard sent counts as held when it comes to be there: the newest, if it is what is anchored at its height. */
export function heldSinceOf(
  window: Pick<BeaconWindow, 'newest' | 'anchoredSummary'>,
  shard: ChainId,
  height: Height,
  { summary }: Pick<Outbox, 'summary'>,
): Height | undefined {
  const { newest } = window;
  const anchoredHeight = newest.sources.find((source) => source.shard === shard)?.anchoredHeight ?? 0;
  if (height > anchoredHeight) return undefined;
  const anchored = window.anchoredSummary(shard, height);
  // What is not known any more was read by all.
  return anchored === undefined || bytesEqual(outboxRootOf(anchored), outboxRootOf(summary)) ? newest.height : undefined;
}

/** The row's value. */
export function encodeParent({ hasItems, rationUsed }: Pick<ShardParent, 'hasItems' | 'rationUsed'>): Uint8Array {
  return ParentRow.serialize({ hasItems: hasItems ? 1 : 0, rationUsed: [...rationUsed].map(([shard, weight]) => ({ shard, weight })) });
}

/** Reads a row of our own. */
export function decodeParent(bytes: Uint8Array): Pick<ShardParent, 'hasItems' | 'rationUsed'> {
  const decoded = decodeCanonical(ParentRow, bytes);
  invariant(decoded.ok && decoded.value.hasItems <= 1, 'what a child has to know is stored whole');
  const { hasItems, rationUsed } = decoded.value;
  const usedOf = new Map(rationUsed.map(({ shard, weight }) => [shard, weight]));
  invariant(usedOf.size === rationUsed.length, 'what a shard used of its ration is stored once');
  return { hasItems: hasItems === 1, rationUsed: usedOf };
}
