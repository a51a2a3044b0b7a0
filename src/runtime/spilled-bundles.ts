// Bundles that are on disk alone: what waits for a shard that stands still may be more than a node has memory for, and may neither be lost nor refused. They look
// like any other; what is in them is read when somebody asks, and the newest few outboxes that were read stay at hand.
import type { HeldBundle } from '../core/messaging/held-bundle.ts';
import type { BundlePlace } from '../core/messaging/lane-view.ts';
import type { Outbox } from '../core/messaging/outbox.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { ChainId, Height } from '../core/primitives/ids.ts';

/** Bytes of outboxes that were read and stay at hand, beside the last one: a shard that has come back reads them in order. */
const AT_HAND_BYTES_MAX = 8 * 1024 * 1024;
/** What a message takes in memory beside its bytes: its place, hash and weight. */
const MESSAGE_OVERHEAD_BYTES = 256;

/** Reads the outbox of a block from its row. */
export type OutboxReader = (source: ChainId, height: Height) => Outbox;

/** See the file's head. */
export class SpilledBundles {
  readonly #read: OutboxReader;
  /** By place, the one that was read last at the end. */
  readonly #atHand = new Map<string, { readonly outbox: Outbox; readonly bytes: number }>();
  #bytes = 0;

  constructor(read: OutboxReader) {
    this.#read = read;
  }

  /** The bundle at a place, as if it were here. */
  bundleAt(place: BundlePlace): HeldBundle {
    const load = (): HeldBundle => {
      const bundle = this.#outboxOf(place).bundles[place.bundle];
      invariant(bundle !== undefined, 'a row has all bundles of its outbox');
      return bundle;
    };
    return {
      place,
      get messages() {
        return load().messages;
      },
      get weights() {
        return load().weights;
      },
      get index() {
        return load().index;
      },
      get branch() {
        return load().branch;
      },
      tree: () => load().tree(),
    };
  }

  #outboxOf({ source, height }: BundlePlace): Outbox {
    const name = `${source}/${height}`;
    const known = this.#atHand.get(name);
    if (known !== undefined) return known.outbox;
    const outbox = this.#read(source, height);
    const bytes = memoryBytesOf(outbox);
    this.#atHand.set(name, { outbox, bytes });
    this.#bytes += bytes;
    for (const [oldest, { bytes: freed }] of this.#atHand) {
      if (this.#bytes <= AT_HAND_BYTES_MAX || oldest === name) break;
      this.#atHand.delete(oldest);
      this.#bytes -= freed;
    }
    return outbox;
  }
}

/** What an outbox takes in memory. */
export function memoryBytesOf({ bundles }: Pick<Outbox, 'bundles'>): number {
  return bundles.reduce((sum, { messages }) => messages.reduce((bytes, { length }) => bytes + length + MESSAGE_OVERHEAD_BYTES, sum), 0);
}
