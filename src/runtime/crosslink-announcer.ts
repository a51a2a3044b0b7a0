// Announces what a shard's committee has made final, to leaders of the beacon who do not follow the shard (protocol, section 6). After each beacon
// block the members of a committee have their turns: whoever is first says it, and the others, who hear it, say nothing. So one message
// goes round for each shard and beacon block, and a silent member costs a fraction of a second.
import { type BeaconState, layoutOfEpoch, type RecordEntry } from '../core/beacon/state.ts';
import type { ChainId, ValidatorIndex } from '../core/primitives/ids.ts';
import { Crosslink } from '../core/protocol/crosslink.ts';
import { CROSSLINK_HEADERS_MAX } from '../core/protocol/limits.ts';
import { DEFAULT_LIMITS } from '../network/limits.ts';
import type { PubSub } from '../network/ports.ts';
import type { CrosslinkShelf } from './crosslink-shelf.ts';
import type { CancelTimer, Clock, Logger } from './ports.ts';

/** Between the turns of two members, and before the first: a message goes round in less, and so does the beacon block that it is judged by. */
const TURN_MS = 100;
/** Members who have a turn after one beacon block; after the next one it is others. */
const TURNS_MAX = 8;

/** What announcing needs of its node. */
export interface CrosslinkAnnouncerDependencies {
  readonly self: ValidatorIndex;
  readonly topic: string;
  readonly pubSub: PubSub;
  readonly shelf: CrosslinkShelf;
  /** The longest crosslink of at most so many headers that this node can make for a record of its own; undefined where it can make none. */
  readonly make: (state: BeaconState, entry: RecordEntry, headersMax: number) => Promise<Crosslink | undefined>;
  /** The state after the newest committed beacon block. */
  readonly newest: () => BeaconState;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What gossip carries; a crosslink that is longer is announced in parts. */
  readonly messageBytesMax?: number;
}

/** See the file's head. */
export class CrosslinkAnnouncer {
  readonly #dependencies: CrosslinkAnnouncerDependencies;
  /** One for each shard. */
  readonly #turns = new Map<ChainId, CancelTimer>();
  #stopped = false;

  constructor(dependencies: CrosslinkAnnouncerDependencies) {
    this.#dependencies = dependencies;
  }

  /** A beacon block is committed: whoever is in a committee waits for his turn. */
  onBeacon(state: BeaconState): void {
    if (this.#stopped) return;
    for (const cancel of this.#turns.values()) cancel();
    this.#turns.clear();
    for (const entry of state.records) {
      const turn = entry.closed ? undefined : turnOf(state, entry, this.#dependencies.self);
      if (turn === undefined || turn >= TURNS_MAX) continue;
      const { shard, epoch } = entry.record;
      const cancel = this.#dependencies.clock.schedule((turn + 1) * TURN_MS, () => {
        this.#turns.delete(shard);
        this.#announce(shard, epoch).catch((error: unknown) =>
          this.#dependencies.logger.warn({ shard, epoch, error: String(error) }, 'a crosslink could not be announced'),
        );
      });
      this.#turns.set(shard, cancel);
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#turns.values()) cancel();
  }

  async #announce(shard: ChainId, epoch: number): Promise<void> {
    const { newest, make, shelf, pubSub, topic, messageBytesMax = DEFAULT_LIMITS.messageBytesMax } = this.#dependencies;
    const state = newest();
    const entry = state.records.find(({ record }) => record.shard === shard && record.epoch === epoch);
    if (entry === undefined || entry.closed) return;
    for (let headersMax = CROSSLINK_HEADERS_MAX; headersMax >= 1 && !this.#stopped; headersMax = Math.floor(headersMax / 2)) {
      const crosslink = await make(state, entry, headersMax);
      if (crosslink === undefined) return;
      const encoded = Crosslink.serialize(crosslink);
      if (encoded.length > messageBytesMax) continue;
      if (!this.#stopped && shelf.offer(crosslink, encoded.length)) await pubSub.publish(topic, encoded);
      return;
    }
  }
}

/** The place of a validator among those who announce after this beacon block: another one after each; undefined for who is in another committee. */
export function turnOf(state: BeaconState, { record }: RecordEntry, self: ValidatorIndex): number | undefined {
  const members = layoutOfEpoch(state, record.epoch)?.shards.find(({ shard }) => shard === record.shard)?.members ?? [];
  const place = members.findIndex(({ validator }) => validator === self);
  return place < 0 ? undefined : (place + state.height) % members.length;
}
