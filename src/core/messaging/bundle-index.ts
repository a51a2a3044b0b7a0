// Indexes of wide bundles as a body carries them (protocol, section 5; decision 013). After a split a bundle on its way holds messages for
// several shards, and the summary does not say how many for each: a body that reads such a bundle, or steps over it, shows its index, with
// the branch to the root that the outbox's summary commits. So what a cursor passes is decided by bodies alone.
import { ContainerType, ListCompositeType, type ValueOf } from '@chainsafe/ssz';
import { bytesEqual } from '../primitives/bytes.ts';
import type { Bytes32, ChainId } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { listRootFrom } from '../protocol/list-branch.ts';
import { BundleIndex, type OutboxSummary } from '../protocol/outbox.ts';
import { contains, isUnder } from '../protocol/shard-id.ts';
import { Bytes32Type, decodeCanonical, Uint16, Uint64 } from '../protocol/ssz.ts';
import { type BundlePlace, bundleNameOf } from './lane-view.ts';

/** log₂ of SHARDS_MAX: levels over the index roots of an outbox. */
export const BUNDLE_BRANCH_MAX = 10;

/** One element of `BlockBody.bundleIndexes`. */
export const CarriedBundleIndex = new ContainerType(
  {
    source: Uint64,
    height: Uint64,
    /** Position in the outbox's summary. */
    bundle: Uint16,
    index: BundleIndex,
    /** From the index's root to `indexesRoot`, as far as the number of bundles makes it (protocol/list-branch.ts). */
    branch: new ListCompositeType(Bytes32Type, BUNDLE_BRANCH_MAX),
  },
  { typeName: 'CarriedBundleIndex', jsonCase: 'eth2' },
);
export type CarriedBundleIndex = ValueOf<typeof CarriedBundleIndex>;

/** Why an element of `bundleIndexes` is not one. */
export type BundleIndexFault = 'malformed' | 'not-canonical';

/** Reads one element of `BlockBody.bundleIndexes`. */
export function decodeBundleIndex(bytes: Uint8Array): Verdict<CarriedBundleIndex, BundleIndexFault> {
  return decodeCanonical(CarriedBundleIndex, bytes);
}

/** The index is the one that the summary of the outbox commits. */
export function verifyBundleIndex(carried: CarriedBundleIndex, summary: OutboxSummary): Verdict<BundleIndex, 'wrong-index-root'> {
  const { bundle, index, branch } = carried;
  if (index.entries.length !== summary.bundles[bundle]?.messageCount) {
    return refuse('wrong-index-root', `an index of ${index.entries.length} entries`);
  }
  const isCommitted = isIndexRootIn(summary, bundle, BundleIndex.hashTreeRoot(index), branch);
  return isCommitted ? accept(index) : refuse('wrong-index-root', `bundle ${bundle}`);
}

/** True where the branch leads from the root of this bundle's index to the summary's `indexesRoot`. */
export function isIndexRootIn(summary: OutboxSummary, bundle: number, indexRoot: Bytes32, branch: readonly Bytes32[]): boolean {
  const root = listRootFrom(indexRoot, bundle, summary.bundles.length, branch, BUNDLE_BRANCH_MAX);
  return root !== undefined && bytesEqual(root, summary.indexesRoot);
}

/** A bundle holds messages of other streams too: its destination is more than the prefix of the cursor that reads it. */
export function isWide(destination: ChainId, prefix: ChainId): boolean {
  return destination !== prefix && contains(destination, prefix);
}

/** The indexes that a body carries, asked by bundle and prefix. */
export interface KnownIndexes {
  /** Where in the bundle the messages under the prefix stand, ascending; undefined where the index is not known. */
  readonly positionsUnder: (place: BundlePlace, prefix: ChainId) => readonly number[] | undefined;
}

/** Remembers each answer: as many as a block has lanes and indexes. */
export function knownIndexesOf(indexes: ReadonlyMap<string, BundleIndex>): KnownIndexes {
  const answers = new Map<string, readonly number[]>();
  return {
    positionsUnder(place, prefix) {
      const name = bundleNameOf(place);
      const index = indexes.get(name);
      if (index === undefined) return undefined;
      const question = `${name}:${prefix}`;
      const known = answers.get(question);
      if (known !== undefined) return known;
      const positions = index.entries.flatMap(({ placement }, at) => (isUnder(placement, prefix) ? [at] : []));
      answers.set(question, positions);
      return positions;
    },
  };
}
