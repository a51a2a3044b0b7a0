// What a block sends to other shards, as its child's header commits it (protocol, section 5, "Lanes"): one bundle for each destination, in
// order of places, none of them empty. The summary says what is under way; each bundle's index says which messages; the messages themselves
// travel from shard to shard and prove their place.
import { ContainerType, ListCompositeType, type ValueOf } from '@chainsafe/ssz';
import { ZERO_32 } from '../primitives/bytes.ts';
import type { Bytes32 } from '../primitives/ids.ts';
import { MESSAGES_PER_BUNDLE_MAX, SHARDS_MAX } from './limits.ts';
import { Bytes32Type, Uint16, Uint32, Uint64 } from './ssz.ts';

/** One bundle: how much goes where. */
export const BundleSummary = new ContainerType(
  {
    /** Shard id in the layout of the block that emitted it. 0 is the beacon. */
    destination: Uint64,
    messageCount: Uint32,
    /** Sum of MESSAGE_GAS + gas carried: what taking it costs of the inbox share. */
    weight: Uint64,
  },
  { typeName: 'BundleSummary', jsonCase: 'eth2' },
);
export type BundleSummary = ValueOf<typeof BundleSummary>;

/** A whole outbox without its messages. */
export const OutboxSummary = new ContainerType(
  {
    /** In left-to-right order of the destinations' places in the tree, the beacon first. */
    bundles: new ListCompositeType(BundleSummary, SHARDS_MAX),
    /** Root of the list of the bundles' index roots, in the same order; zeros where there is none. */
    indexesRoot: Bytes32Type,
  },
  { typeName: 'OutboxSummary', jsonCase: 'eth2' },
);
export type OutboxSummary = ValueOf<typeof OutboxSummary>;

/** What is hashed to `indexesRoot`: the root of each bundle's index. */
export const BundleIndexRoots = new ContainerType(
  { roots: new ListCompositeType(Bytes32Type, SHARDS_MAX) },
  { typeName: 'BundleIndexRoots', jsonCase: 'eth2' },
);

/** One message of a bundle: what it is, and for whom. */
export const BundleEntry = new ContainerType(
  {
    /** SHA-256 of the message's encoding. */
    messageHash: Bytes32Type,
    /** The first 16 bits of the state key that the message goes to, as a big-endian number: of whose stream it is, under any layout. */
    placement: Uint16,
  },
  { typeName: 'BundleEntry', jsonCase: 'eth2' },
);
export type BundleEntry = ValueOf<typeof BundleEntry>;

/** The messages of a bundle in the order of their emission. */
export const BundleIndex = new ContainerType(
  { entries: new ListCompositeType(BundleEntry, MESSAGES_PER_BUNDLE_MAX) },
  { typeName: 'BundleIndex', jsonCase: 'eth2' },
);
export type BundleIndex = ValueOf<typeof BundleIndex>;

/** The outbox of a block that sent nothing. */
export const EMPTY_OUTBOX: OutboxSummary = { bundles: [], indexesRoot: ZERO_32 };

/** The `outboxRoot` of an execution commitment. That of an empty outbox is 32 zero bytes. */
export function outboxRootOf(summary: OutboxSummary): Bytes32 {
  return summary.bundles.length === 0 ? ZERO_32 : OutboxSummary.hashTreeRoot(summary);
}
