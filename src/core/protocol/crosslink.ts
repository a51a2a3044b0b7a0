// Crosslinks: how the beacon makes shard blocks final for everyone (protocol, section 6). A crosslink is the headers from the last crosslinked
// one on, QCs linked, that end with a QC and CC of the committee of one open record; behind a closing header the carriers that brought it the CC.
//
// The summaries of the outboxes that the headers commit come along, because every shard has to know at its reference, without having seen any
// bundle, what is under way to it: cursors and backlog are then functions of the beacon chain and of bodies alone.
import { ContainerType, ListCompositeType, type ValueOf } from '@chainsafe/ssz';
import { BlockHeader } from './block.ts';
import { Certificate } from './certificate.ts';
import { CARRIERS_MAX, CROSSLINK_HEADERS_MAX, SHARDS_MAX } from './limits.ts';
import { OutboxSummary } from './outbox.ts';
import { Bytes32Type, Uint64 } from './ssz.ts';

/** See the file's head. */
export const Crosslink = new ContainerType(
  {
    /** With `epoch` it names the open record. */
    shard: Uint64,
    epoch: Uint64,
    /** Ascending, each the parent of the next; the last is covered by the certificates, directly or through the carriers. */
    headers: new ListCompositeType(BlockHeader, CROSSLINK_HEADERS_MAX),
    /** For each header, the summary of the outbox whose root it commits: that of its parent's height. */
    outboxes: new ListCompositeType(OutboxSummary, CROSSLINK_HEADERS_MAX),
    /** Only behind a closing header, each the parent of the next. */
    carriers: new ListCompositeType(BlockHeader, CARRIERS_MAX),
    /** Of the last carrier, or without carriers of the last header. */
    quorumCertificate: Certificate,
    commitCertificate: Certificate,
    /** Only with a closing header whose shard is split next: the state roots of the shards that follow it, left to right. */
    childStateRoots: new ListCompositeType(Bytes32Type, SHARDS_MAX),
  },
  { typeName: 'Crosslink', jsonCase: 'eth2' },
);
export type Crosslink = ValueOf<typeof Crosslink>;
