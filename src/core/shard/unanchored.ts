// How far a shard may run ahead of what is anchored (decision 020). Its committee commits faster than the beacon crosslinks while the beacon stalls, and what is
// committed and not anchored is kept whole: blocks, both values of every change, transactions on their way. All of it can still become void, by a takeover or
// in a fork. So a block is valid only as far above the last crosslinked header as four crosslinks reach: by the beacon block that it refers to, which every
// voter reads alike. The closing block may always come: without it the instance could only be taken over.
import { invariant } from '../primitives/errors.ts';
import type { Height } from '../primitives/ids.ts';
import { UNANCHORED_BLOCKS_MAX } from '../protocol/limits.ts';
import { type BeaconView, closesInstance, type ShardInstance } from './beacon-view.ts';

/** Whether a block of this height, referring to this beacon block, is not too far ahead. */
export function isWithinReach(height: Height, view: BeaconView, instance: ShardInstance): boolean {
  if (closesInstance(view, instance)) return true;
  const terms = view.shards.get(instance.shard);
  invariant(terms !== undefined, 'the record of an instance is in force at its references, until a later epoch');
  return height - terms.anchoredHeight <= UNANCHORED_BLOCKS_MAX;
}
