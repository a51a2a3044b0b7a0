// The bundles that a node holds: what the shards that it follows have sent, until every shard that is to read it has (protocol, section 5,
// "Lanes"). Kept in memory for leaders and voters, and on disk with the block that sent it: when a shard stands still, what waits for it is on disk alone.
import { ContainerType, ListBasicType, ListCompositeType } from '@chainsafe/ssz';
import type { BeaconState } from '../core/beacon/state.ts';
import type { HeldBundle } from '../core/messaging/held-bundle.ts';
import { type BundleName, bundleNameOf } from '../core/messaging/lane-view.ts';
import { makeOutbox, type Outbox } from '../core/messaging/outbox.ts';
import { mayForgetBundle, type RecordCursors } from '../core/messaging/retention.ts';
import type { BundleSince, SkipInput } from '../core/messaging/skipped-item.ts';
import { bytesEqual } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { ChainId, Height } from '../core/primitives/ids.ts';
import { MESSAGE_BYTES_MAX, MESSAGES_PER_BUNDLE_MAX, SHARDS_MAX } from '../core/protocol/limits.ts';
import { decodeMessage } from '../core/protocol/message-codec.ts';
import { EMPTY_OUTBOX, type OutboxSummary, outboxRootOf } from '../core/protocol/outbox.ts';
import { byteList, decodeCanonical, Uint64 } from '../core/protocol/ssz.ts';
import type { ShardStore } from '../storage/shard-store.ts';
import { memoryBytesOf, type OutboxReader, SpilledBundles } from './spilled-bundles.ts';

/** What is kept of an outbox: the rest is computed again. */
const SentMessages = new ContainerType(
  {
    destinations: new ListBasicType(Uint64, SHARDS_MAX),
    messages: new ListCompositeType(byteList(MESSAGE_BYTES_MAX), SHARDS_MAX * MESSAGES_PER_BUNDLE_MAX),
  },
  { typeName: 'SentMessages', jsonCase: 'eth2' },
);

interface Kept {
  readonly source: ChainId;
  readonly height: Height;
  readonly outbox: Outbox;
  /** There is a row of all of it. */
  readonly isStored: boolean;
  /** That it takes in memory. */
  readonly bytes: number;
  /** The beacon block that anchored it, as this node came to know of both; not anchored yet: none. */
  heldSince: Height | undefined;
  /** The beacon block after which every shard had read it; not yet: none. */
  readSince: Height | undefined;
}

/** What a block sent, final at its source. */
export interface AnchoredBundles extends Pick<Outbox, 'bundles' | 'summary'> {
  readonly source: ChainId;
  readonly height: Height;
}

/** So many beacon blocks may what clients are shown be behind, and what is read since is there for them: a node that catches up lets go of it. */
const SHOWN_BEHIND_MAX = 16;

/** Bytes in memory of what is final and not read by all, where there are rows of it. */
const MEMORY_BYTES_MAX = 64 * 1024 * 1024;

/** What this node executed lies on disk; of what it fetched there are no rows. */
export type Storing = 'stored' | 'in-memory';

/** See the file's head. The number of outboxes is bounded by what is sent and not read, which gas has paid for; what this node executed of it, by `MEMORY_BYTES_MAX`. */
export class BundleShelf {
  readonly #kept = new Map<ChainId, Map<Height, Kept>>();
  /** Of these, what is whole in memory, in the order in which it came. */
  readonly #inMemory = new Set<Kept>();
  readonly #spilled: SpilledBundles;
  #memoryBytes = 0;
  #since: SkipInput['held'] | undefined;
  #held: ReadonlyMap<BundleName, HeldBundle> | undefined;

  constructor(read: OutboxReader) {
    this.#spilled = new SpilledBundles(read);
  }

  /** Bytes of bundles in memory. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** A block of a shard that this node follows sent this, or others have said so and proved it. */
  put(source: ChainId, height: Height, outbox: Outbox, storing: Storing, heldSince?: Height): void {
    if (outbox.bundles.length === 0) return;
    const ofSource = this.#kept.get(source) ?? new Map<Height, Kept>();
    const before = ofSource.get(height);
    if (before !== undefined) this.#drop(before);
    const isStored = storing === 'stored' || before?.isStored === true;
    const kept = { source, height, outbox, isStored, bytes: memoryBytesOf(outbox), heldSince, readSince: undefined };
    this.#kept.set(source, ofSource.set(height, kept));
    this.#inMemory.add(kept);
    this.#memoryBytes += kept.bytes;
    this.#spill();
    this.#forgetLists();
  }

  /** The summary of what a block sent. */
  summaryAt(source: ChainId, height: Height): OutboxSummary {
    return this.#kept.get(source)?.get(height)?.outbox.summary ?? EMPTY_OUTBOX;
  }

  /** What a beacon block anchored is there to be read from now on, if it is what is held: of a branch that loses a fork it is not. */
  anchored(source: ChainId, height: Height, summary: OutboxSummary, beaconHeight: Height): void {
    const kept = this.#kept.get(source)?.get(height);
    if (kept === undefined || !bytesEqual(outboxRootOf(kept.outbox.summary), outboxRootOf(summary))) return;
    kept.heldSince = beaconHeight;
    this.#spill();
    this.#forgetLists();
  }

  /** All that is anchored and held. */
  held(): ReadonlyMap<BundleName, HeldBundle> {
    this.#held ??= new Map([...this.heldSince()].map(([name, { bundle }]) => [name, bundle]));
    return this.#held;
  }

  /** The same, and since which beacon block this node has had it with its anchor. */
  heldSince(): SkipInput['held'] {
    this.#since ??= new Map(this.#shelved());
    return this.#since;
  }

  /** Whether something of a block is here, and can be read. */
  isKept(source: ChainId, height: Height): boolean {
    return this.#kept.get(source)?.has(height) === true;
  }

  /** What is anchored and, as far as clients are shown, not read by all. */
  *anchoredBundles(): Generator<AnchoredBundles> {
    for (const [source, ofSource] of this.#kept)
      for (const [height, { outbox, heldSince }] of ofSource) if (heldSince !== undefined) yield { source, height, ...outbox };
  }

  /** Lets go what every shard has read as of the beacon block up to which clients are shown the chain, and says of what there are rows. */
  forgetRead(
    { height: beaconHeight, records }: Pick<BeaconState, 'height' | 'records'>,
    shownHeight: Height,
  ): readonly { readonly source: ChainId; readonly height: Height }[] {
    const readers = records.map(({ record: { shard }, progress: { cursors } }) => ({ shard, cursors }));
    const forgotten: { readonly source: ChainId; readonly height: Height }[] = [];
    for (const [source, ofSource] of this.#kept)
      for (const [height, kept] of ofSource) {
        if (kept.heldSince === undefined) continue;
        if (!kept.isStored) {
          this.#forgetFetched(kept, readers);
          continue;
        }
        if (kept.readSince === undefined) {
          const { bundles } = kept.outbox.summary;
          if (!bundles.every(({ destination }) => mayForgetBundle(source, height, destination, readers))) continue;
          kept.readSince = beaconHeight;
        }
        if (kept.readSince > shownHeight && beaconHeight - shownHeight <= SHOWN_BEHIND_MAX) continue;
        ofSource.delete(height);
        this.#drop(kept);
        forgotten.push({ source, height });
      }
    if (forgotten.length > 0) this.#forgetLists();
    return forgotten;
  }

  /** What a source sent above a height is void: nobody may read it. */
  forgetAbove(source: ChainId, height: Height): void {
    const ofSource = this.#kept.get(source);
    for (const [each, kept] of ofSource ?? []) {
      if (each <= height) continue;
      ofSource?.delete(each);
      this.#drop(kept);
    }
    this.#forgetLists();
  }

  // Of what there is no row of, each bundle goes as soon as its own readers have it, whoever else has still to read the outbox.
  #forgetFetched(kept: Kept, readers: readonly RecordCursors[]): void {
    const { source, height, outbox } = kept;
    const bundles = outbox.bundles.filter(({ place }) => {
      const destination = outbox.summary.bundles[place.bundle]?.destination;
      return destination === undefined || !mayForgetBundle(source, height, destination, readers);
    });
    if (bundles.length === outbox.bundles.length) return;
    this.#drop(kept);
    this.#forgetLists();
    if (bundles.length === 0) {
      this.#kept.get(source)?.delete(height);
      return;
    }
    const left = { ...kept, outbox: { ...outbox, bundles }, bytes: memoryBytesOf({ bundles }) };
    this.#kept.get(source)?.set(height, left);
    this.#inMemory.add(left);
    this.#memoryBytes += left.bytes;
  }

  #drop(kept: Kept): void {
    if (this.#inMemory.delete(kept)) this.#memoryBytes -= kept.bytes;
  }

  // What came first goes first, if it is final: whatever may become void is newer, and no more than a shard may run ahead.
  #spill(): void {
    if (this.#memoryBytes <= MEMORY_BYTES_MAX) return;
    for (const kept of this.#inMemory) {
      if (this.#memoryBytes <= MEMORY_BYTES_MAX) return;
      const { source, height, outbox, isStored, heldSince } = kept;
      if (!isStored || heldSince === undefined) continue;
      this.#drop(kept);
      const bundles = outbox.bundles.map(({ place }) => this.#spilled.bundleAt(place));
      this.#kept.get(source)?.set(height, { ...kept, outbox: { ...outbox, bundles }, bytes: 0 });
    }
  }

  #forgetLists(): void {
    this.#held = undefined;
    this.#since = undefined;
  }

  *#shelved(): Generator<[BundleName, BundleSince]> {
    for (const ofSource of this.#kept.values())
      for (const { outbox, heldSince } of ofSource.values())
        if (heldSince !== undefined) for (const bundle of outbox.bundles) yield [bundleNameOf(bundle.place), { bundle, heldSince }];
  }
}

/** The row's value. */
export function encodeSent({ summary, bundles }: Outbox): Uint8Array {
  return SentMessages.serialize({
    destinations: summary.bundles.map(({ destination }) => destination),
    messages: bundles.flatMap(({ messages }) => messages),
  });
}

/** Reads a row of our own: the outbox of a block. */
export function decodeSent(source: ChainId, height: Height, bytes: Uint8Array): Outbox {
  const decoded = decodeCanonical(SentMessages, bytes);
  invariant(decoded.ok, 'what was sent is stored whole');
  const messages = decoded.value.messages.map((encoded) => {
    const message = decodeMessage(encoded);
    invariant(message.ok, 'a message that was sent decodes');
    return message.value;
  });
  const outbox = makeOutbox(source, height, messages, new Set(decoded.value.destinations));
  invariant(bytesEqual(encodeSent(outbox), bytes), 'what was sent is stored in the order of an outbox');
  return outbox;
}

/** Reads what is on disk. */
export function sentReader(shardStore: Pick<ShardStore, 'getSent'>): OutboxReader {
  return (source, height) => {
    const sent = shardStore.getSent(source, height);
    invariant(sent !== undefined, 'what was sent is on disk until all have read it');
    return decodeSent(source, height, sent);
  };
}
