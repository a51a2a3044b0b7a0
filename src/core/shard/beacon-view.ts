// Everything that a shard block reads of the beacon, as a value (protocol, section 0, "beacon reference" ⚠): the world as of the beacon block
// that its header names, and nothing else. Two nodes that have the same beacon block have equal views of it, whatever else they know; so
// validity and execution, which are functions of a view, are the same for both.

import type { LaneView } from '../messaging/lane-view.ts';
import { isFamilyUnder } from '../messaging/placement.ts';
import { invariant } from '../primitives/errors.ts';
import type { Address, Bytes32, ChainId, Epoch, Height, TimestampMs, Wei } from '../primitives/ids.ts';
import type { BeaconReference, Cursor } from '../protocol/block.ts';
import { StartRecord } from '../protocol/committee.ts';
import type { ExecutionContext } from '../protocol/message.ts';
import { isUnder, type Placement, shardOfPlacement } from '../protocol/shard-id.ts';

/** BLOCKHASH reaches this far back. */
const BLOCK_HASHES = 256;

/** What the beacon says of a shard: how far it is final, and what others pay for sending something to it. */
export interface ShardTerms {
  /** Of its last crosslinked header; of a new record the record's. */
  readonly anchoredHeight: Height;
  /** That of its last crosslinked header; of a new record the record's. */
  readonly baseFeePerGasWei: Wei;
  /** Weight under way to it, by the load in that header. */
  readonly backlog: number;
}

/** The world as of one beacon block: its reference. */
export interface BeaconView {
  readonly height: Height;
  readonly hash: Bytes32;
  readonly timestampMs: TimestampMs;
  readonly seed: Bytes32;
  readonly epoch: Epoch;
  /** The hash of an earlier beacon block, of the last 256 heights. */
  readonly hashAt: (height: Height) => Bytes32 | undefined;
  /** The listed sources with what they have sent. */
  readonly lanes: LaneView;
  /** The shards of the records in force: together the whole tree, each part once. */
  readonly shards: ReadonlyMap<ChainId, ShardTerms>;
  readonly worldRoot: Bytes32;
  /** The world root at the end of an epoch that is over. */
  readonly worldRootOfEpoch: (epoch: Epoch) => Bytes32 | undefined;
}

/** One run of a shard as its blocks see it: what its start record says, and what does not change while it lasts. */
export interface ShardInstance {
  readonly shard: ChainId;
  readonly epoch: Epoch;
  readonly record: StartRecord;
  /** The parent hash of the first block. */
  readonly recordRoot: Bytes32;
  /** The shards of the epoch: where what this shard emits goes. */
  readonly layout: ReadonlySet<ChainId>;
  /** The record's: of the closing commitments, narrowed or joined (messaging/cursors.ts). */
  readonly cursors: readonly Cursor[];
}

/** The instance of a start record. */
export function makeShardInstance(record: StartRecord, layout: ReadonlySet<ChainId>, cursors: readonly Cursor[]): ShardInstance {
  const { shard, epoch } = record;
  invariant(layout.has(shard), 'a record is of a shard of its epoch');
  return { shard, epoch, record, recordRoot: StartRecord.hashTreeRoot(record), layout, cursors };
}

/** How a header names the block of this view. */
export function referenceOf({ height, hash }: BeaconView): BeaconReference {
  return { height, hash };
}

/** The first block whose reference is of a later epoch closes its instance, however many epochs were skipped (protocol, section 6). */
export function closesInstance({ epoch }: BeaconView, instance: ShardInstance): boolean {
  return epoch > instance.epoch;
}

/** What every item of a block with this reference sees of the world outside its family. */
export function contextOf({ height, timestampMs, seed, hashAt }: BeaconView): ExecutionContext {
  return {
    referenceHeight: height,
    referenceTimestampMs: timestampMs,
    prevRandao: seed,
    blockHash: (wanted) => (wanted < height && wanted >= height - BLOCK_HASHES ? hashAt(wanted) : undefined),
  };
}

/** True for families of the instance's own shard. */
export function isFamilyOf({ shard }: ShardInstance, family: Address): boolean {
  return isFamilyUnder(family, shard);
}

/** The shard that something with this placement goes to: one's own, or that of the record in force at the reference. */
export function shardFor(placement: Placement, instance: ShardInstance, view: BeaconView): ChainId {
  if (isUnder(placement, instance.shard)) return instance.shard;
  const shard = shardOfPlacement(view.shards, placement);
  invariant(shard !== undefined, 'the records in force are the whole tree');
  return shard;
}
