// The cursors with which a shard's instance starts (protocol, section 5, "Lanes"): those that the closing headers of its record commit. Whoever has run
// the instance before has the headers; whoever has got the state from others reads the same in the beacon state that made the record.
import { joinCursors, narrowCursors } from '../core/messaging/cursors.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Cursor } from '../core/protocol/block.ts';
import { Block } from '../core/protocol/certified-block.ts';
import type { StartRecord } from '../core/protocol/committee.ts';
import { storedValue } from '../core/protocol/ssz.ts';
import { decodeBeaconState } from '../runtime/beacon-commits.ts';
import type { NodeStores } from './create-node.ts';

/** See the file's head. */
export function startCursorsOf(
  { blockStore, beaconStore }: Pick<NodeStores, 'blockStore' | 'beaconStore'>,
  { shard, beaconHeight, closingHeaders }: StartRecord,
): readonly Cursor[] {
  // The closing blocks themselves read nothing.
  const closing = closingHeaders.map((hash) => blockStore.getByHash(hash));
  if (closing.every((stored) => stored !== undefined))
    return joinCursors(closing.map(({ block }) => narrowCursors(storedValue(Block, block).header.parentExecution.cursors, shard)));
  const encoded = beaconStore.getState(beaconHeight);
  invariant(encoded !== undefined, 'the beacon state that made a record is kept while a state can be fetched for it');
  const entry = decodeBeaconState(encoded).records.find(({ record }) => record.shard === shard);
  invariant(entry?.record.beaconHeight === beaconHeight, 'a beacon state has the records that were made with it');
  return entry.progress.cursors;
}
