// Composes the shards of a node where there is a beacon: one state database for each shard, and of each the chain of one instance at a time. An
// instance starts by a record of the beacon state, when the node has the state that the record names; it ends with its closing block, and the
// next begins when the beacon has made a record of that (protocol, section 6).
import type { BeaconConstants } from '../core/beacon/constants.ts';
import { epochOfHeight } from '../core/beacon/epochs.ts';
import { instanceOfRecord } from '../core/beacon/instance.ts';
import { type BeaconState, layoutOfEpoch, type RecordEntry, shardsOf } from '../core/beacon/state.ts';
import { isCarrier } from '../core/consensus/block-role.ts';
import type { ItemExecutor } from '../core/execution/item-executor.ts';
import { bytesEqual } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { ChainId, Height, TimestampMs, ValidatorIndex } from '../core/primitives/ids.ts';
import type { BlockHeader } from '../core/protocol/block.ts';
import type { Instance, StartRecord } from '../core/protocol/committee.ts';
import type { OutboxSummary } from '../core/protocol/outbox.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import { makeShardInstance, type ShardInstance } from '../core/shard/beacon-view.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import type { StateDatabase } from '../core/state/state-version.ts';
import type { PeerName } from '../network/ports.ts';
import type { ExecutedBeaconOutcome } from '../runtime/beacon-logic.ts';
import type { BeaconWindow } from '../runtime/beacon-window.ts';
import { BundleShelf, decodeSent } from '../runtime/bundle-shelf.ts';
import type { KeptEvidence } from '../runtime/evidence-keeper.ts';
import type { InstanceSwitch } from '../runtime/instance-switch.ts';
import { createShardBlockCommits } from '../runtime/shard-block-commits.ts';
import {
  createShardBlockLogic,
  type ExecutedShardBlockOutcome,
  type ShardBlockOutcome,
  shardStartOutcome,
} from '../runtime/shard-block-logic.ts';
import { createShardPayloads, type TransactionSource } from '../runtime/shard-payloads.ts';
import type { ValidatorSecrets } from '../runtime/signer.ts';
import type { TransactionDirectory } from '../runtime/transaction-directory.ts';
import type { SigningRecord } from '../storage/signing-record.ts';
import { BundleExchange } from './bundle-exchange.ts';
import { type Chain, createChain } from './create-chain.ts';
import type { NodePorts, NodeStores } from './create-node.ts';
import { type Follow, FollowedShards } from './followed-shards.ts';
import { loadInstance } from './load-instance.ts';
import { newestOutcome } from './newest-shard-block.ts';
import { PointerProofs } from './pointer-proofs.ts';
import { ShardContent } from './shard-content.ts';
import { ShardStates } from './shard-states.ts';
import type { SigningRecords } from './signing-records.ts';
import { startCursorsOf } from './start-cursors.ts';

/** What composing the shards takes beside the node's ports. */
export interface CreateShardsOptions extends NodePorts, NodeStores {
  readonly parameters: NetworkParameters;
  readonly constants: BeaconConstants;
  readonly window: BeaconWindow;
  readonly self: ValidatorIndex | undefined;
  readonly follow: Follow;
  readonly secrets: ValidatorSecrets | undefined;
  readonly signingRecords: SigningRecords;
  readonly instances: InstanceSwitch;
  readonly onEvidence: (instance: Instance, kept: KeptEvidence) => void;
  readonly directory: TransactionDirectory;
  readonly evm: ItemExecutor;
  /** How many blocks before the newest keep their state; infinite for an archive. */
  readonly stateBlocks: number;
  /** The lowest version of a shard's state that somebody may still ask for, whatever the window. */
  readonly neededFrom: (shard: ChainId) => Height;
  /** The mempool of a shard's senders. */
  readonly transactionsOf: (shard: ChainId, committed: ShardBlockOutcome) => TransactionSource;
  /** The shard is run here no more. */
  readonly onLeft: (shard: ChainId) => void;
  /** What others write with a shard's block. */
  readonly rowsOf: (shard: ChainId, outcome: ExecutedShardBlockOutcome) => readonly RowOperation[];
  readonly onCommitted: (shard: ChainId, outcome: ExecutedShardBlockOutcome) => void;
  readonly onFault: (fault: unknown) => void;
}

/** One shard's chain in the instance that runs. */
export type ShardChain = Chain<ShardBlockOutcome, ExecutedShardBlockOutcome>;

interface Running {
  readonly chain: ShardChain;
  readonly signingRecord: SigningRecord;
  /** Told when the beacon has gone on. */
  readonly onBeacon: () => void;
  /** Height of the newest block with items on which another is committed. */
  readonly newestItems: () => Height;
  /** How far it was crosslinked at the beacon block before, and when its committee was last asked for its end. */
  readonly told: { anchoredHeight: Height; greetedAtMs: TimestampMs };
}

/** An instance that is over for the beacon, and goes on here: its end is asked for at most so often. */
const GREET_INTERVAL_MS = 1_000;

/** See the file's head. */
export class Shards {
  readonly #options: CreateShardsOptions;
  readonly #shelf = new BundleShelf();
  readonly #followed: FollowedShards;
  readonly #states: ShardStates;
  readonly #pointers: PointerProofs;
  readonly #bundles: BundleExchange;
  readonly #content: ShardContent;
  readonly #running = new Map<ChainId, Running>();
  /** The same as others see it, made anew when an instance begins: it is asked for often. */
  #chains: ReadonlyMap<ChainId, ShardChain> = new Map();
  readonly #transactions = new Map<ChainId, TransactionSource>();
  #settling: Promise<void> = Promise.resolve();
  #hasStarted = false;
  #stopped = false;

  private constructor(options: CreateShardsOptions) {
    this.#options = options;
    const followed = new FollowedShards(options);
    const peersOf = (shard: ChainId): readonly PeerName[] => followed.peersOf(shard);
    const neededFrom = (shard: ChainId): Height => Math.min(options.neededFrom(shard), followed.neededFrom(shard));
    this.#followed = followed;
    this.#states = new ShardStates({ ...options, peersOf, neededFrom, onChange: () => this.#settleSoon() });
    this.#pointers = new PointerProofs({ ...options, peersOf, states: this.#states });
    this.#content = new ShardContent({ ...options, shelf: this.#shelf, pointers: this.#pointers });
    const onBundles = (): void => {
      for (const { onBeacon } of this.#running.values()) onBeacon();
    };
    this.#bundles = new BundleExchange({ ...options, shelf: this.#shelf, peersOf, onBundles });
  }

  /** Opens every shard of the records in force where it stands on disk. */
  static async open(options: CreateShardsOptions): Promise<Shards> {
    const shards = new Shards(options);
    await shards.#states.removeRests();
    await shards.#fillShelf();
    await shards.#settleAll();
    return shards;
  }

  /** The chains that run now, by shard. */
  get chains(): ReadonlyMap<ChainId, ShardChain> {
    return this.#chains;
  }

  /** The state database of a shard. */
  statesOf(shard: ChainId): StateDatabase {
    return this.#states.of(shard);
  }

  /** The summary of what a shard's block sent, as far as it is not read by all. */
  outboxAt(shard: ChainId, height: Height): OutboxSummary {
    return this.#shelf.summaryAt(shard, height);
  }

  /** The oldest version of a shard's state that others may read. */
  servedFrom(shard: ChainId): Height {
    return this.#states.prunerOf(shard).servedFrom;
  }

  start(): void {
    this.#hasStarted = true;
    for (const { chain } of this.#running.values()) chain.runner.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#bundles.stop();
    this.#pointers.stop();
    await this.#states.stop();
    await this.#settling;
    for (const running of this.#running.values()) await endOf(running);
  }

  /** A beacon block is on disk, and the window shows it. */
  onBeacon({ state, applied }: ExecutedBeaconOutcome): void {
    const { shardStore, store, onFault } = this.#options;
    for (const { source, height } of applied.anchoredOutboxes) this.#shelf.anchored(source, height, state.height);
    const read = this.#shelf.forgetRead(state);
    if (read.length > 0) {
      store
        .write(
          read.flatMap(({ source, height }) => shardStore.dropSent(source, height)),
          { sync: false },
        )
        .catch(onFault);
    }
    for (const [shard, running] of this.#running) {
      if (this.#options.follow === 'own') this.#bundles.want(shard, running.chain.blocks.committed.commitment.cursors);
      running.onBeacon();
      this.#catchUpWithBeacon(shard, running, state);
    }
    this.#settleSoon();
  }

  // Who is no member of an instance's committee says nothing in it, so nobody tells him what he has missed of its end; and what the beacon has anchored
  // for a whole block of its own, others have had for long.
  #catchUpWithBeacon(shard: ChainId, { chain, told }: Running, { records }: BeaconState): void {
    const entry = records.find(({ record }) => record.shard === shard && record.epoch === chain.instance.epoch);
    if (entry === undefined || entry.closed) {
      const nowMs = this.#options.clock.nowMs();
      if (chain.runner.state.closed !== undefined || nowMs < told.greetedAtMs + GREET_INTERVAL_MS) return;
      told.greetedAtMs = nowMs;
      chain.runner.greet();
      return;
    }
    const { hash, height, round } = entry.progress;
    const { facts } = chain.blocks.committed;
    if (round > 0 && facts.height < told.anchoredHeight) chain.catchUp.request({ kind: 'request-block', hash, height });
    told.anchoredHeight = height;
  }

  /** Whether a shard has something that is not final on this beacon state: a header that commits results, or the end of its instance. */
  isAwaited({ records }: BeaconState): boolean {
    return records.some(({ record, progress, closed }) => {
      const running = this.#running.get(record.shard);
      if (closed || running === undefined || running.chain.instance.epoch !== record.epoch) return false;
      const { facts, asParent } = running.chain.blocks.committed;
      if (facts.height <= progress.height) return false;
      return asParent.closes || running.newestItems() >= progress.height;
    });
  }

  async #fillShelf(): Promise<void> {
    const { shardStore, window } = this.#options;
    const { sources, height: beaconHeight } = window.newest;
    for (const { shard, anchoredHeight } of sources)
      for (const { height, sent } of await shardStore.readSent(shard))
        this.#shelf.put(shard, height, decodeSent(shard, height, sent), height <= anchoredHeight ? beaconHeight : undefined);
  }

  #settleSoon(): void {
    this.#settling = this.#settling.then(() => this.#settleAll()).catch(this.#options.onFault);
  }

  async #settleAll(): Promise<void> {
    const { newest } = this.#options.window;
    const followed = this.#followed.at(newest);
    for (const entry of newest.records) {
      if (this.#stopped) return;
      if (followed.has(entry.record.shard) || this.#hasBegun(entry)) await this.#settle(entry);
      else await this.#leave(entry);
    }
  }

  // Whoever has blocks of an instance follows it to its end: its state and they belong together.
  #hasBegun({ record }: RecordEntry): boolean {
    const { blockStore, window } = this.#options;
    const known = window.newest.instances.find((one) => one.record.shard === record.shard && one.record.epoch === record.epoch);
    return known !== undefined && blockStore.getHead(record.shard, known.instanceId) !== undefined;
  }

  // What the new committee has made final, a quorum of it has: the state is needed by nobody here.
  async #leave({ record: { shard }, progress }: RecordEntry): Promise<void> {
    const running = this.#running.get(shard);
    if (running !== undefined) {
      this.#running.delete(shard);
      this.#showRunning();
      this.#bundles.forget(shard);
      this.#transactions.delete(shard);
      this.#options.onLeft(shard);
      await endOf(running);
    }
    if (progress.round > 0 && this.#states.has(shard)) this.#states.drop(shard);
  }

  #showRunning(): void {
    this.#chains = new Map([...this.#running].map(([each, { chain }]) => [each, chain]));
  }

  // The newest instance of the shard whose start this node has: behind, it goes through them one by one.
  async #settle(entry: RecordEntry): Promise<void> {
    const { window, constants } = this.#options;
    const { shard } = entry.record;
    if (!this.#states.has(shard)) {
      this.#states.fetch(entry);
      return;
    }
    const { height } = this.statesOf(shard).committed();
    const state = window.newest;
    const known = state.instances.filter(({ record }) => record.shard === shard && record.height <= height);
    const record = known.reduce<StartRecord | undefined>(
      (best, next) => (best === undefined || next.record.epoch > best.epoch ? next.record : best),
      undefined,
    );
    if (record === undefined) return;
    const instance = instanceOfRecord(constants, state, record);
    const running = this.#running.get(shard);
    if (running !== undefined && bytesEqual(running.chain.instance.instanceId, instance.instanceId)) return;
    if (running !== undefined) await endOf(running);
    const next = await this.#run(instance);
    this.#running.set(shard, next);
    this.#showRunning();
    if (!this.#hasStarted) return;
    next.chain.runner.start();
    next.chain.runner.greet();
  }

  async #run(instance: Instance): Promise<Running> {
    const { parameters, shardStore, secrets, signingRecords, clock } = this.#options;
    const shard = instance.chain;
    const states = this.statesOf(shard);
    const shardInstance = this.#shardInstanceOf(instance);
    const closes = ({ beaconReference }: BlockHeader): boolean => epochOfHeight(beaconReference.height, parameters) > instance.epoch;
    const loaded = await loadInstance<ShardBlockOutcome>(this.#options, instance, {
      roleOf: (header) => (isCarrier(header) ? 'carrier' : closes(header) ? 'closing' : 'ordinary'),
      start: () => {
        invariant(bytesEqual(states.committed().root, instance.startRecord.stateRoot), 'an instance starts on the state of its record');
        return shardStartOutcome(shardInstance, states.committed());
      },
      newest: (newest) => newestOutcome(newest, states, shardStore.getParent(shard), closes(newest.block.header)),
    });
    const { signingRecord, maySign } = await signingRecords.openFor(loaded);
    let onBeacon = (): void => undefined;
    // What the blocks before had is not known any more: perhaps something.
    let newestItems = loaded.committed.facts.height - 1;
    let before: ShardBlockOutcome = loaded.committed;
    const transactions = this.#transactionsOf(shard, loaded.committed);
    const pruner = this.#states.prunerOf(shard);
    const chain = await createChain<ShardBlockOutcome, ExecutedShardBlockOutcome>({
      ...this.#options,
      loaded,
      logic: createShardBlockLogic({ ...this.#options, instance: shardInstance, states, held: () => this.#shelf.heldSince() }),
      rows: createShardBlockCommits({
        shard,
        states,
        shardStore,
        shelf: this.#shelf,
        window: this.#options.window,
        rowsOf: (outcome) => this.#options.rowsOf(shard, outcome),
        onCommitted: (outcome) => {
          if (before.facts.hasItems) newestItems = before.facts.height;
          before = outcome;
          transactions.onCommitted(outcome.block, outcome.version, outcome.facts.baseFeePerGasWei);
          this.#options.onCommitted(shard, outcome);
          pruner.onCommitted();
          if (outcome.asParent.closes) this.#settleSoon();
        },
      }),
      payloadsOn: (blocks) =>
        createShardPayloads<ShardBlockOutcome>({
          parameters,
          transactions,
          blocks,
          clock,
          urgencyOn: (parent) => this.#content.urgencyOn(shardInstance, parent),
          onUrgency: (listener) => {
            onBeacon = listener;
          },
          contentOn: (parent, taken, nowMs) => this.#content.contentOn(shardInstance, parent, taken, nowMs),
        }),
      signingRecord,
      secrets: maySign ? secrets : undefined,
    });
    return {
      chain,
      signingRecord,
      onBeacon: () => onBeacon(),
      newestItems: () => newestItems,
      told: { anchoredHeight: 0, greetedAtMs: 0 },
    };
  }

  // One mempool for all instances of a shard.
  #transactionsOf(shard: ChainId, committed: ShardBlockOutcome): TransactionSource {
    const known = this.#transactions.get(shard) ?? this.#options.transactionsOf(shard, committed);
    this.#transactions.set(shard, known);
    return known;
  }

  #shardInstanceOf({ epoch, startRecord }: Instance): ShardInstance {
    const { window } = this.#options;
    const layout = layoutOfEpoch(window.newest, epoch);
    invariant(layout !== undefined, `the layout of epoch ${epoch} is kept while an instance of it runs`);
    return makeShardInstance(startRecord, new Set(shardsOf(layout)), startCursorsOf(this.#options, startRecord));
  }
}

async function endOf({ chain, signingRecord }: Running): Promise<void> {
  await chain.stop();
  await signingRecord.close();
}
