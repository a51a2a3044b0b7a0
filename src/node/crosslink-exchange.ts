// Crosslinks for the beacon's blocks (protocol, section 6): of shards that this node runs it makes them itself; those of others come from their committees,
// which announce them (runtime/crosslink-announcer.ts). Where every validator runs every shard nothing is announced.
import type { BeaconConstants } from '../core/beacon/constants.ts';
import { isRunByAll } from '../core/beacon/own-shards.ts';
import type { BeaconState, RecordEntry } from '../core/beacon/state.ts';
import type { ChainId, Height, ValidatorIndex } from '../core/primitives/ids.ts';
import { Crosslink } from '../core/protocol/crosslink.ts';
import { CROSSLINK_BYTES_MAX, CROSSLINK_HEADERS_MAX } from '../core/protocol/limits.ts';
import type { OutboxSummary } from '../core/protocol/outbox.ts';
import { topicName } from '../network/topics.ts';
import type { BeaconWindow } from '../runtime/beacon-window.ts';
import { CrosslinkAnnouncer } from '../runtime/crosslink-announcer.ts';
import { CrosslinkShelf } from '../runtime/crosslink-shelf.ts';
import { VerifiedClaims } from '../runtime/verified-claims.ts';
import type { NodePorts } from './create-node.ts';
import type { Follow } from './followed-shards.ts';
import type { NodeStores } from './node-stores.ts';
import { makeShardCrosslink } from './shard-crosslink.ts';

/** What the exchange needs of its node. */
export interface CrosslinkExchangeOptions
  extends Pick<NodePorts, 'network' | 'clock' | 'logger' | 'metrics' | 'verifier'>,
    Pick<NodeStores, 'blockStore' | 'beaconStore'> {
  readonly constants: BeaconConstants;
  readonly window: Pick<BeaconWindow, 'newest'>;
  readonly self: ValidatorIndex | undefined;
  readonly follow: Follow;
  /** The summary of what a shard's block sent. */
  readonly outboxAt: (shard: ChainId, height: Height) => OutboxSummary;
  /** A crosslink has come: the beacon's next block may hold more. */
  readonly onNews: () => void;
}

/** See the file's head. */
export class CrosslinkExchange {
  readonly #options: CrosslinkExchangeOptions;
  readonly #topic: string;
  readonly #shelf: CrosslinkShelf;
  readonly #announcer: CrosslinkAnnouncer | undefined;

  constructor(options: CrosslinkExchangeOptions) {
    this.#options = options;
    const { constants, window, self, verifier, beaconStore, network } = options;
    const newest = (): BeaconState => window.newest;
    const claims = new VerifiedClaims(verifier);
    this.#topic = topicName(constants.genesisRoot, 0, 'crosslinks');
    this.#shelf = new CrosslinkShelf({
      ...options,
      newest,
      beaconHashAt: (height) => beaconStore.getPoint(height)?.hash,
      verify: (sets) => claims.judge(sets, 'crosslinks'),
    });
    if (self === undefined) return;
    this.#announcer = new CrosslinkAnnouncer({
      ...options,
      self,
      topic: this.#topic,
      pubSub: network.pubSub,
      shelf: this.#shelf,
      make: async (state, entry, headersMax) => (isRunByAll(state, entry) ? undefined : this.#make(state, entry, headersMax)),
      newest,
    });
  }

  /** Whoever follows all makes all crosslinks itself, and hears of none. */
  start(): void {
    const { follow, network, onNews } = this.#options;
    if (follow === 'all') return;
    network.pubSub.subscribe(this.#topic, async (message) => {
      const decision = await this.#shelf.receive(message);
      if (decision === 'accept') onNews();
      return decision;
    });
  }

  stop(): void {
    this.#announcer?.stop();
    if (this.#options.follow !== 'all') this.#options.network.pubSub.unsubscribe(this.#topic);
  }

  /** Bytes of the announced crosslinks that wait for a block of the beacon. */
  get keptBytes(): number {
    return this.#shelf.bytes;
  }

  /** A beacon block is committed. */
  onBeacon(state: BeaconState): void {
    this.#shelf.onBeacon(state);
    if (state.records.some((entry) => !isRunByAll(state, entry))) this.#announcer?.onBeacon(state);
  }

  /** Crosslinks for the open records of a beacon state, as far as this node has what they take. */
  async collect(state: BeaconState): Promise<Uint8Array[]> {
    const own = new Map<ChainId, Uint8Array>();
    for (const entry of state.records) {
      const crosslink = entry.closed ? undefined : await this.#make(state, entry, CROSSLINK_HEADERS_MAX);
      const encoded = crosslink === undefined ? undefined : Crosslink.serialize(crosslink);
      if (encoded !== undefined && encoded.length <= CROSSLINK_BYTES_MAX) own.set(entry.record.shard, encoded);
    }
    return [...own.values(), ...this.#shelf.collect(state, (shard) => own.has(shard))];
  }

  /** What others announced that would change what is final. */
  awaitedOn(state: BeaconState): 'end' | 'results' | undefined {
    return this.#shelf.awaitedOn(state);
  }

  #make(state: BeaconState, entry: RecordEntry, headersMax: number): Promise<Crosslink | undefined> {
    return makeShardCrosslink(this.#options, state, entry, headersMax);
  }
}
