// Sources (protocol, section 5, "Lanes"): the shard ids whose messages are or may be under way. Every shard block has cursors for exactly the
// sources listed at its reference, so the list decides what is read.
//
// The rule upheld: no message is forgotten. Listed is every shard id with a start record, and a retired one until *every* record's anchored
// cursor for it exists and is past its last bundle. A missing cursor is not a passed one: the record may follow two of which one never heard
// of the source. Dropped earlier, messages to that shard would never be taken, and their value would be gone.
import type { ChainId, Height } from '../primitives/ids.ts';
import { coverShard } from '../protocol/subtrees.ts';
import type { BeaconState, RecordEntry, Source } from './state.ts';

/** Lists the shards of new records, and drops what every shard has read to its end. */
export function updateSources(state: BeaconState): BeaconState {
  const running = new Map(state.records.map(({ record }) => [record.shard, record]));
  const listed = new Set(state.sources.map(({ shard }) => shard));
  const fresh = [...running.values()].filter(({ shard }) => !listed.has(shard)).map(({ shard, height }) => newSource(shard, height));
  const kept = state.sources.filter((source) => running.has(source.shard) || !isReadByAll(state.records, source));
  if (fresh.length === 0 && kept.length === state.sources.length) return state;
  return { ...state, sources: [...kept, ...fresh].sort((a, b) => a.shard - b.shard) };
}

/** A source of which nothing is under way: readers' cursors start at (record height + 1, 0). */
export function newSource(shard: ChainId, recordHeight: Height): Source {
  return { shard, startHeight: recordHeight, anchoredHeight: recordHeight, lastBundleHeight: recordHeight };
}

/** The source after anchoring the executions up to a height, the greatest with a bundle among them. */
export function withAnchored(source: Source, anchoredHeight: Height, lastBundleHeight: Height | undefined): Source {
  return { ...source, anchoredHeight, lastBundleHeight: lastBundleHeight ?? source.lastBundleHeight };
}

function isReadByAll(records: readonly RecordEntry[], source: Source): boolean {
  return records.every(({ record, progress }) => {
    const past = progress.cursors.filter((cursor) => cursor.source === source.shard && cursor.height > source.lastBundleHeight);
    return coverShard(
      past.map(({ prefix }) => prefix),
      record.shard,
    );
  });
}
