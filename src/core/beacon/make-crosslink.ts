// Making a crosslink of what a node has of a shard: anyone may, and a beacon leader does so for every open record (protocol, section 6). As many
// headers as can be, so that a shard is final as soon as the beacon can say so: up to the last that has a CC of its own, or to the closing
// block with the carriers that brought it one.
import type { Height } from '../primitives/ids.ts';
import type { BlockHeader } from '../protocol/block.ts';
import type { CommitCertificate, QuorumCertificate } from '../protocol/certificate.ts';
import { Crosslink } from '../protocol/crosslink.ts';
import { CARRIERS_MAX, CROSSLINK_HEADERS_MAX } from '../protocol/limits.ts';
import type { OutboxSummary } from '../protocol/outbox.ts';
import type { RecordEntry, ShardRoot } from './state.ts';

/** A committed block as far as a crosslink takes it. */
export interface CommittedHeader {
  readonly header: BlockHeader;
  readonly quorumCertificate: QuorumCertificate;
  /** Its own, unless that of a descendant covers it. */
  readonly commitCertificate: CommitCertificate | undefined;
}

/** What ended an instance. */
export interface InstanceEnd {
  readonly closingHeight: Height;
  readonly carriers: readonly BlockHeader[];
  readonly quorumCertificate: QuorumCertificate;
  readonly commitCertificate: CommitCertificate;
}

/** What a node has of an open record's instance. */
export interface CrosslinkMaterial {
  readonly entry: RecordEntry;
  /** The parent of the beacon block that is to hold the crosslink: what refers to a later one has to wait. */
  readonly beaconHeight: Height;
  /** In order from the block above the last crosslinked one on; more than fit may be there. */
  readonly committed: readonly CommittedHeader[];
  /** The summary of what the block at a height sent; an empty one at the height of the record. */
  readonly outboxAt: (height: Height) => OutboxSummary;
  readonly end: InstanceEnd | undefined;
  /** What a crosslink may have, encoded: fewer headers where all are more. */
  readonly bytesMax: number;
  /** Of the shards that follow if this one closes and is split, left to right; none otherwise. */
  readonly childRoots: readonly ShardRoot[];
}

/** The longest crosslink that can be made now, if any. */
export function makeCrosslink(material: CrosslinkMaterial): Crosslink | undefined {
  const { entry, beaconHeight, committed, end } = material;
  const usable = takeWhile(committed.slice(0, CROSSLINK_HEADERS_MAX), ({ header }) => header.beaconReference.height <= beaconHeight);
  const closing = end === undefined || end.carriers.length > CARRIERS_MAX ? -1 : heightIndex(usable, end.closingHeight);
  if (end !== undefined && closing >= 0) {
    const { carriers, quorumCertificate, commitCertificate } = end;
    const whole = crosslinkOf(material, usable.slice(0, closing + 1), { carriers, quorumCertificate, commitCertificate, closes: true });
    if (fits(whole, material)) return whole;
  }
  // Between the end of the records and the first CC there is nothing to say yet.
  if (entry.closed) return undefined;
  for (const [index, { quorumCertificate, commitCertificate }] of [...usable.entries()].reverse()) {
    if (commitCertificate === undefined || index === closing) continue;
    const proof = { carriers: [], quorumCertificate, commitCertificate, closes: false };
    const crosslink = crosslinkOf(material, usable.slice(0, index + 1), proof);
    if (fits(crosslink, material)) return crosslink;
  }
  return undefined;
}

function fits(crosslink: Crosslink, { bytesMax }: CrosslinkMaterial): boolean {
  return Crosslink.value_serializedSize(crosslink) <= bytesMax;
}

function crosslinkOf(
  { entry: { record }, outboxAt, childRoots }: CrosslinkMaterial,
  covered: readonly CommittedHeader[],
  proof: Pick<InstanceEnd, 'carriers' | 'quorumCertificate' | 'commitCertificate'> & { readonly closes: boolean },
): Crosslink {
  const headers = covered.map(({ header }) => header);
  const { carriers, quorumCertificate, commitCertificate, closes } = proof;
  return {
    shard: record.shard,
    epoch: record.epoch,
    headers,
    outboxes: headers.map(({ height }) => outboxAt(height - 1)),
    carriers: [...carriers],
    quorumCertificate,
    commitCertificate,
    childStateRoots: closes ? childRoots.map(({ stateRoot }) => stateRoot) : [],
  };
}

function heightIndex(headers: readonly CommittedHeader[], height: Height): number {
  return headers.findIndex(({ header }) => header.height === height);
}

function takeWhile<T>(items: readonly T[], holds: (item: T) => boolean): readonly T[] {
  const end = items.findIndex((item) => !holds(item));
  return end < 0 ? items : items.slice(0, end);
}
