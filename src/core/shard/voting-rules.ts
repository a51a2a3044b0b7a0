// Voting rules of a shard (protocol, section 3 ⚠): a block that breaks one may be valid, and a node does not vote for it, or not yet. They depend
// on what this node knows and holds, so they are never part of validity, blocks that come by synchronisation skip them, and carriers are
// exempt. That of the timestamp depends on a clock and is where the clock is.
import { type SkipInput, skippedThoughHeld } from '../messaging/skipped-item.ts';
import type { Height } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import type { BeaconReference } from '../protocol/block.ts';
import type { JudgedShardBlock } from './validate-shard-block.ts';

/** How far a reference may lie below the newest committed beacon block that a voter knows. */
export const REFERENCE_AGE_MAX = 16;

const PASSED = accept(undefined);

/** A reference that is not known yet may be, a moment later: vote then. Without it the block cannot even be judged. */
export function knowsReference({ height }: BeaconReference, newestHeight: Height): Verdict<undefined, 'reference-unknown'> {
  return height <= newestHeight ? PASSED : refuse('reference-unknown', `${height}, the newest is ${newestHeight}`);
}

/** Else leaders could freeze time, fees and closing ⚠. Judged when the proposal arrives: what is late to be judged does not grow old. */
export function hasFreshReference({ height }: BeaconReference, newestHeight: Height): Verdict<undefined, 'reference-too-old'> {
  return newestHeight - height <= REFERENCE_AGE_MAX ? PASSED : refuse('reference-too-old', `${height}, the newest is ${newestHeight}`);
}

/** No item is skipped although there was room and this node has held it for 8 beacon blocks ⚠. A closing block takes nothing by rule. */
export function takesWhatIsHeld({ inbox, closes }: JudgedShardBlock, input: SkipInput): Verdict<undefined, 'item-skipped'> {
  const skipped = closes ? undefined : skippedThoughHeld(inbox, input);
  if (skipped === undefined) return PASSED;
  return refuse('item-skipped', `bundle ${skipped.bundle} of shard ${skipped.source} at ${skipped.height}`);
}
