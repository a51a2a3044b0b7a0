// Rations (protocol, sections 5 and 10.8): how much weight the new transactions of one shard may send to another shard, by that one's backlog at
// the reference, shared among the listed sources, for all blocks with that reference together; by turns there is room for the largest
// transaction, which a share of many sources has not (decision 018). Only new transactions are held back; messages
// under way never are ⚠. A shard has no ration against itself but the block limit.
import { hasTurn, rationOf } from '../messaging/congestion.ts';
import type { ChainId } from '../primitives/ids.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';
import type { BeaconView, ShardInstance } from './beacon-view.ts';
import type { ShardParent } from './shard-parent.ts';

/** What is left of the rations while a block is made or checked. */
export interface Rations {
  hasRoomFor(destination: ChainId, weight: number): boolean;
  /** Of what there is room for. */
  take(destination: ChainId, weight: number): void;
  /** By destination, with what the blocks before with the same reference took. At most one entry for each shard of the view. */
  used(): ReadonlyMap<ChainId, number>;
}

/** What the rations of a block follow from. */
export interface RationInput {
  readonly instance: ShardInstance;
  readonly view: BeaconView;
  readonly parent: Pick<ShardParent, 'referenceHeight' | 'rationUsed'>;
  readonly parameters: NetworkParameters;
}

/** The rations with which a block begins: a new reference brings new ones. */
export function rationsOf({ instance, view, parent, parameters }: RationInput): Rations {
  const used = new Map(parent.referenceHeight === view.height ? parent.rationUsed : []);
  const { inboxGasShare, transactionGasLimitMax } = parameters;
  const { sources } = view.lanes;
  const shared = {
    inboxGasShare,
    transactionGasLimitMax,
    listedSources: sources.length,
    hasTurn: hasTurn(instance.shard, view.height, sources),
  };
  const after = (destination: ChainId, weight: number): number => (used.get(destination) ?? 0) + weight;
  return {
    hasRoomFor(destination, weight) {
      if (destination === instance.shard) return true;
      const backlog = view.shards.get(destination)?.backlog ?? 0;
      return after(destination, weight) <= rationOf({ ...shared, backlog });
    },
    take(destination, weight) {
      if (destination !== instance.shard) used.set(destination, after(destination, weight));
    },
    used: () => used,
  };
}
