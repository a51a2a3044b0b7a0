// The states of the shards of a node: one database for each that it has, over the rows of its one store. What it is to run and does not have comes
// from peers, as one verified transfer (sync/state-source.ts); what it runs no more is removed. Both take their time beside everything else: a
// shard that comes or goes holds nobody up.
import type { RecordEntry } from '../core/beacon/state.ts';
import { type ChainId, type Height, ROOT_SHARD, type TimestampMs } from '../core/primitives/ids.ts';
import { uncleanShards } from '../core/state/drop-shard.ts';
import { createStateDatabase, EMPTY_HEIGHT } from '../core/state/state-database.ts';
import type { StateDatabase } from '../core/state/state-version.ts';
import type { PeerName } from '../network/ports.ts';
import { HistoryPruner } from '../runtime/history-pruner.ts';
import type { StateSource } from '../sync/state-source.ts';
import { StateTransfer } from '../sync/state-transfer.ts';
import { serveStates } from '../sync/state-transfer-server.ts';
import type { NodePorts } from './create-node.ts';

/** Weight of a request that no honest node sends. */
const BAD_REQUEST_WEIGHT = 10;
/** Between two fetches of one shard's state, the first of which came to nothing. */
const FETCH_RETRY_MS = 1_000;

/** What the states stand on. */
export interface ShardStatesOptions extends Pick<NodePorts, 'store' | 'network' | 'clock' | 'logger' | 'metrics' | 'pause'> {
  /** How many blocks before the newest keep their state; infinite for an archive. */
  readonly stateBlocks: number;
  /** The lowest version of a shard's state that somebody may still ask for, whatever the window. */
  readonly neededFrom: (shard: ChainId) => Height;
  /** Peers that should have a shard's state. */
  readonly peersOf: (shard: ChainId) => readonly PeerName[];
  /** A state has come, or is gone. */
  readonly onChange: () => void;
  readonly onFault: (fault: unknown) => void;
}

/** See the file's head. */
export class ShardStates {
  readonly #options: ShardStatesOptions;
  readonly #databases = new Map<ChainId, StateDatabase>();
  readonly #pruners = new Map<ChainId, HistoryPruner>();
  readonly #source: StateSource;
  readonly #transfer: StateTransfer;
  /** Shards that come or go at this moment. */
  readonly #underWay = new Map<ChainId, Promise<void>>();
  readonly #retryFromMs = new Map<ChainId, TimestampMs>();
  #stopped = false;

  constructor(options: ShardStatesOptions) {
    this.#options = options;
    const { network, clock, logger, pause, peersOf, store } = options;
    const write: (operations: Parameters<typeof store.write>[0]) => Promise<void> = (operations) =>
      store.write(operations, { sync: false });
    this.#transfer = new StateTransfer({ network, clock, logger, peersOf, write, statesOf: (shard) => this.of(shard) });
    this.#source = this.#transfer;
    serveStates(network.request, {
      statesOf: (shard) => (this.has(shard) ? this.of(shard) : undefined),
      clock,
      pause,
      onBadRequest: (peer, reason) => network.peers.misbehaved(peer, reason, BAD_REQUEST_WEIGHT),
    });
  }

  /** When a node starts: removes the rest of what was being removed, or fetched, when it ended. */
  async removeRests(): Promise<void> {
    const { store } = this.#options;
    for (const shard of await uncleanShards(store, ROOT_SHARD))
      for await (const batch of createStateDatabase(store, shard).drop()) await store.write(batch, { sync: false });
  }

  /** The database of a shard; an empty one where this node has nothing of it. */
  of(shard: ChainId): StateDatabase {
    const known = this.#databases.get(shard) ?? createStateDatabase(this.#options.store, shard);
    this.#databases.set(shard, known);
    return known;
  }

  /** Whether the node has a state of the shard, whole. */
  has(shard: ChainId): boolean {
    return !this.#underWay.has(shard) && this.of(shard).committed().height !== EMPTY_HEIGHT;
  }

  /** What forgets old versions of a shard's state. */
  prunerOf(shard: ChainId): HistoryPruner {
    const { neededFrom } = this.#options;
    const known =
      this.#pruners.get(shard) ??
      new HistoryPruner({ ...this.#options, chain: shard, states: this.of(shard), neededFrom: () => neededFrom(shard) });
    this.#pruners.set(shard, known);
    return known;
  }

  /** Gets the state that a record starts from, unless that is under way. */
  fetch({ record: { shard, height, stateRoot } }: Pick<RecordEntry, 'record'>): void {
    const { clock, logger, store } = this.#options;
    if (clock.nowMs() < (this.#retryFromMs.get(shard) ?? 0)) return;
    this.#do(shard, async () => {
      const fetched = await this.#source.fetch({ shard, height, root: stateRoot });
      if (!fetched.ok) {
        logger.info({ chain: shard, height, reason: fetched.reason }, 'the state of a shard is not here yet');
        this.#retryFromMs.set(shard, clock.nowMs() + FETCH_RETRY_MS);
        return;
      }
      const states = this.of(shard);
      await store.write(states.commit(fetched.value), { sync: true });
      states.adopted(fetched.value);
      logger.info({ chain: shard, height, leaves: fetched.value.leafCount }, 'the state of a shard has come');
    });
  }

  /** Removes what this node has of a shard's state, unless that is under way. */
  drop(shard: ChainId): void {
    const { store, logger } = this.#options;
    this.#do(shard, async () => {
      await this.#pruners.get(shard)?.stop();
      for await (const batch of this.of(shard).drop()) {
        if (this.#stopped) return;
        await store.write(batch, { sync: false });
      }
      this.#pruners.delete(shard);
      this.#databases.delete(shard);
      logger.info({ chain: shard }, 'the state of a shard is gone');
    });
  }

  /** Ends what is under way: the next start takes it up. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#transfer.stop();
    await Promise.all(this.#underWay.values());
    for (const pruner of this.#pruners.values()) await pruner.stop();
  }

  #do(shard: ChainId, work: () => Promise<void>): void {
    if (this.#stopped || this.#underWay.has(shard)) return;
    const { onFault, onChange } = this.#options;
    const done = work()
      .catch(onFault)
      .finally(() => {
        this.#underWay.delete(shard);
        if (!this.#stopped) onChange();
      });
    this.#underWay.set(shard, done);
  }
}
