// How long what was sent must be kept (protocol, section 5, "Lanes"): bundles until every destination's anchored cursor has passed, and a
// retired source's place in the list until every record's has passed its last bundle. A missing cursor is not a passed one ⚠: it will begin at
// the source's start, and everything behind that is still to be read.
import type { ChainId, Height } from '../primitives/ids.ts';
import type { Cursor } from '../protocol/block.ts';
import { intersects, uncoveredBy } from '../protocol/shard-id.ts';

/** A record of the beacon state with the cursors of its last anchored execution; of a new record its own (cursors.ts, narrow and join). */
export interface RecordCursors {
  readonly shard: ChainId;
  readonly cursors: readonly Cursor[];
}

/** Every record that may still read the bundle has passed its height. The records are all that are not replaced. */
export function mayForgetBundle(source: ChainId, height: Height, destination: ChainId, records: readonly RecordCursors[]): boolean {
  const readers = records.filter(({ shard }) => intersects(shard, destination));
  return readers.length > 0 && readers.every((record) => hasPassed(record, source, height, destination));
}

/** A retired source may leave the list: all have passed the height of its last bundle. */
export function mayUnlist(source: ChainId, lastBundleHeight: Height, records: readonly RecordCursors[]): boolean {
  return records.every((record) => hasPassed(record, source, lastBundleHeight, record.shard));
}

// What of the destination is in the record's shard is covered by cursors for the source, each behind the height.
function hasPassed(record: RecordCursors, source: ChainId, height: Height, destination: ChainId): boolean {
  const part = Math.max(record.shard, destination);
  const cursors = record.cursors.filter((cursor) => cursor.source === source && intersects(cursor.prefix, part));
  const prefixes = cursors.map(({ prefix }) => prefix);
  return uncoveredBy(part, prefixes).length === 0 && cursors.every((cursor) => cursor.height > height);
}
