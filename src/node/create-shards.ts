// Composes the shards of a node where there is a beacon: one state database for each shard, and of each the chain of one instance at a time. An
// instance starts by a record of the beacon state, when the node has the state that the record names; it ends with its closing block, or by takeover, and
// the next begins when the beacon has made a record of that (protocol, section 6). What was committed and is void then is undone in between.
import type { BeaconConstants } from '../core/beacon/constants.ts';
import { epochOfHeight } from '../core/beacon/epochs.ts';
import { instanceOfRecord } from '../core/beacon/instance.ts';
import type { BeaconState, KnownInstance, RecordEntry } from '../core/beacon/state.ts';
import { isCarrier } from '../core/consensus/block-role.ts';
import type { ItemExecutor } from '../core/execution/item-executor.ts';
import { bytesEqual } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { ChainId, Height, ValidatorIndex } from '../core/primitives/ids.ts';
import type { BlockHeader } from '../core/protocol/block.ts';
import type { Instance } from '../core/protocol/committee.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import type { StateDatabase } from '../core/state/state-version.ts';
import type { PeerName } from '../network/ports.ts';
import { AnchoredBranch } from '../runtime/anchored-branch.ts';
import type { ExecutedBeaconOutcome } from '../runtime/beacon-logic.ts';
import type { BeaconWindow } from '../runtime/beacon-window.ts';
import { BundleShelf, sentReader } from '../runtime/bundle-shelf.ts';
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
import type { VerifiedClaims } from '../runtime/verified-claims.ts';
import type { SigningRecord } from '../storage/signing-record.ts';
import { readAnchoredAbove } from './anchored-headers.ts';
import { BundleExchange } from './bundle-exchange.ts';
import { type Chain, createChain } from './create-chain.ts';
import type { NodePorts } from './create-node.ts';
import { fillShelf } from './fill-shelf.ts';
import { type Follow, FollowedShards } from './followed-shards.ts';
import { loadInstance } from './load-instance.ts';
import { newestOutcome } from './newest-shard-block.ts';
import type { NodeStores } from './node-stores.ts';
import { PointerProofs } from './pointer-proofs.ts';
import { ShardContent } from './shard-content.ts';
import { shardInstanceOf } from './shard-instance.ts';
import { ShardPursuit } from './shard-pursuit.ts';
import type { Undone } from './shard-rollback.ts';
import { ShardStates } from './shard-states.ts';
import { instancesOf, type Succession, successionOf } from './shard-succession.ts';
import { ShardUndoing } from './shard-undoing.ts';
import type { SigningRecords } from './signing-records.ts';

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
  readonly claims: VerifiedClaims;
  readonly onEvidence: (instance: Instance, kept: KeptEvidence) => void;
  readonly directory: TransactionDirectory;
  /** Each instance has one of its own: long items of several chains take turns with pauses between, and an executor has one item at a time. */
  readonly createExecutor: () => ItemExecutor;
  /** How many blocks before the newest keep their state; infinite for an archive. */
  readonly stateBlocks: number;
  /** The lowest version of a shard's state that somebody may still ask for, whatever the window. */
  readonly neededFrom: (shard: ChainId) => Height;
  /** The mempool of a shard's senders. */
  readonly transactionsOf: (shard: ChainId, newest: NewestState) => TransactionSource;
  /** The shard is run here no more. */
  readonly onLeft: (shard: ChainId) => void;
  /** What others write with a shard's block. */
  readonly rowsOf: (shard: ChainId, outcome: ExecutedShardBlockOutcome) => readonly RowOperation[];
  readonly onCommitted: (shard: ChainId, outcome: ExecutedShardBlockOutcome) => void;
  /** Committed blocks of a shard are void, and undone. */
  readonly onVoid: (shard: ChainId, undone: Undone) => void;
  /** The beacon block up to which clients are shown the chain. */
  readonly shownHeight: () => Height;
  readonly onFault: (fault: unknown) => void;
}

/** What a mempool judges by at first. */
export type NewestState = Pick<Undone, 'version' | 'baseFeePerGasWei'>;

/** One shard's chain in the instance that runs. */
export type ShardChain = Chain<ShardBlockOutcome, ExecutedShardBlockOutcome>;

interface Running {
  readonly chain: ShardChain;
  readonly known: KnownInstance;
  /** What of it the beacon has made final. */
  readonly branch: AnchoredBranch;
  readonly signingRecord: SigningRecord;
  /** Told when the beacon has gone on. */
  readonly onBeacon: () => void;
  /** Height of the newest block with items on which another is committed. */
  readonly newestItems: () => Height;
  readonly pursuit: ShardPursuit;
}

/** See the file's head. */
export class Shards {
  readonly #options: CreateShardsOptions;
  readonly #shelf: BundleShelf;
  readonly #content: ShardContent;
  readonly #undoing: ShardUndoing;
  readonly #followed: FollowedShards;
  readonly #states: ShardStates;
  readonly #pointers: PointerProofs;
  readonly #bundles: BundleExchange;
  readonly #running = new Map<ChainId, Running>();
  /** The same as others see it, made anew when an instance begins: it is asked for often. */
  #chains: ReadonlyMap<ChainId, ShardChain> = new Map();
  readonly #transactions = new Map<ChainId, TransactionSource>();
  #settling: Promise<void> = Promise.resolve();
  #hasStarted = false;
  #stopped = false;

  private constructor(options: CreateShardsOptions) {
    this.#options = options;
    this.#shelf = new BundleShelf(sentReader(options.shardStore));
    const followed = new FollowedShards(options);
    const peersOf = (shard: ChainId): readonly PeerName[] => followed.peersOf(shard);
    const neededFrom = (shard: ChainId): Height => Math.min(options.neededFrom(shard), followed.neededFrom(shard));
    this.#followed = followed;
    this.#states = new ShardStates({ ...options, peersOf, neededFrom, onChange: () => this.#settleSoon() });
    this.#pointers = new PointerProofs({ ...options, peersOf, states: this.#states });
    const onBundles = (): void => {
      for (const { onBeacon } of this.#running.values()) onBeacon();
    };
    this.#bundles = new BundleExchange({ ...options, shelf: this.#shelf, peersOf, onBundles });
    this.#content = new ShardContent({ ...options, shelf: this.#shelf, pointers: this.#pointers });
    const own = { ...options, shelf: this.#shelf, statesOf: (shard: ChainId) => this.statesOf(shard) };
    this.#undoing = new ShardUndoing({ ...own, poolOf: (shard, undone) => this.#transactionsOf(shard, undone) });
  }

  /** Opens every shard of the records in force where it stands on disk. */
  static async open(options: CreateShardsOptions): Promise<Shards> {
    const shards = new Shards(options);
    await shards.#states.removeRests();
    await fillShelf(shards.#shelf, options);
    await shards.#settleAll();
    return shards;
  }

  /** The chains that run now, by shard. */
  get chains(): ReadonlyMap<ChainId, ShardChain> {
    return this.#chains;
  }

  /** The shards that this node is to run, as of the newest beacon block. */
  get followed(): ReadonlySet<ChainId> {
    return this.#followed.at(this.#options.window.newest);
  }

  /** The state database of a shard. */
  statesOf(shard: ChainId): StateDatabase {
    return this.#states.of(shard);
  }

  /** What was sent and is not read by all. */
  get bundles(): Pick<BundleShelf, 'anchoredBundles' | 'heldSince' | 'isKept' | 'memoryBytes' | 'summaryAt'> {
    return this.#shelf;
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
    const { shardStore, store, shownHeight, onFault } = this.#options;
    for (const { source, height, summary } of applied.anchoredOutboxes) this.#shelf.anchored(source, height, summary, state.height);
    for (const header of applied.anchoredHeaders) {
      const running = this.#running.get(header.shard);
      if (running?.chain.instance.epoch === header.epoch) running.branch.anchored(header);
    }
    const rows = this.#shelf.forgetRead(state, shownHeight()).flatMap(({ source, height }) => shardStore.dropSent(source, height));
    if (rows.length > 0) store.write(rows, { sync: false }).catch(onFault);
    for (const [shard, running] of this.#running) {
      if (this.#options.follow === 'own') this.#bundles.want(shard, running.chain.blocks.committed.commitment.cursors);
      running.onBeacon();
      running.pursuit.onBeacon(state);
    }
    this.#settleSoon();
  }

  /** What a shard has that is not final on this beacon state: the end of its instance, or else a header that commits results. */
  awaitedOn({ records }: BeaconState): 'end' | 'results' | undefined {
    let awaited: 'results' | undefined;
    for (const { record, progress, closed } of records) {
      const running = this.#running.get(record.shard);
      if (closed || running?.chain.instance.epoch !== record.epoch) continue;
      const { facts, asParent } = running.chain.blocks.committed;
      if (facts.height <= progress.height) continue;
      if (asParent.closes) return 'end';
      if (running.newestItems() >= progress.height) awaited = 'results';
    }
    return awaited;
  }

  #settleSoon(): void {
    this.#settling = this.#settling.then(() => this.#settleAll()).catch(this.#options.onFault);
  }

  async #settleAll(): Promise<void> {
    const { followed } = this;
    for (const entry of this.#options.window.newest.records) {
      const { shard } = entry.record;
      if (this.#stopped) return;
      if (!followed.has(shard)) await this.#leave(entry);
      else if (this.#states.has(shard)) await this.#settle(shard);
      else this.#states.fetch(entry);
    }
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

  // Goes from instance to instance, and back from what is void, until there is nothing more to be done: behind, it goes through them one by one.
  async #settle(shard: ChainId): Promise<void> {
    const { window, blockStore, parameters } = this.#options;
    for (let isDone = false; !isDone; ) {
      const running = this.#running.get(shard);
      if (running?.branch.partsAt !== undefined) await this.#leaveLosingBranch(shard, running);
      const instances = instancesOf(window.newest, shard);
      const newest = instances.at(-1);
      if (running !== undefined && newest !== undefined && bytesEqual(running.known.instanceId, newest.instanceId)) return;
      const position = { blockStore, committed: this.statesOf(shard).committed(), parameters };
      const next = successionOf(position, instances);
      isDone = next === undefined || (await this.#goOn(shard, next));
    }
  }

  // True when an instance runs that is to run.
  async #goOn(shard: ChainId, next: Succession): Promise<boolean> {
    const running = this.#running.get(shard);
    if (next.kind === 'undo') {
      if (running !== undefined) await endOf(running);
      await this.#undoing.takeOver(next.known, next.successor);
      return false;
    }
    if (running !== undefined && bytesEqual(running.known.instanceId, next.known.instanceId)) return true;
    if (running !== undefined) await endOf(running);
    const { branch } = await this.#begin(shard, next.known);
    return branch.partsAt === undefined;
  }

  async #leaveLosingBranch(shard: ChainId, running: Running): Promise<void> {
    const { chain, known } = running;
    const anchored = readAnchoredAbove(this.#options, chain.instance, this.#options.window.newest.height);
    await this.#undoing.keepEvidence(chain.instance, anchored, chain.evidence);
    await endOf(running);
    await this.#undoing.leaveLosingBranch(known, anchored);
    await this.#begin(shard, known);
  }

  async #begin(shard: ChainId, known: KnownInstance): Promise<Running> {
    const next = await this.#run(known);
    this.#running.set(shard, next);
    this.#showRunning();
    if (this.#hasStarted && next.branch.partsAt === undefined) {
      next.chain.runner.start();
      next.chain.runner.greet();
    }
    return next;
  }

  async #run(known: KnownInstance): Promise<Running> {
    const { parameters, shardStore, secrets, signingRecords, clock, constants, window, blockStore, createExecutor } = this.#options;
    const instance = instanceOfRecord(constants, window.newest, known.record);
    const { chain: shard } = instance;
    const states = this.statesOf(shard);
    const shardInstance = shardInstanceOf(this.#options, window.newest, instance);
    const closes = ({ beaconReference }: BlockHeader): boolean => epochOfHeight(beaconReference.height, parameters) > instance.epoch;
    const loaded = await loadInstance<ShardBlockOutcome>(this.#options, instance, {
      roleOf: (header) => (isCarrier(header) ? 'carrier' : closes(header) ? 'closing' : 'ordinary'),
      start: () => {
        invariant(bytesEqual(states.committed().root, instance.startRecord.stateRoot), 'an instance starts on the state of its record');
        return shardStartOutcome(shardInstance, states.committed());
      },
      newest: (newest) =>
        newestOutcome(newest, states, shardStore.getParent(shard, newest.block.header.height), closes(newest.block.header)),
    });
    const branch = new AnchoredBranch({ has: (hash) => blockStore.has(hash), height: () => states.committed().height });
    for (const header of readAnchoredAbove(this.#options, instance, window.newest.height).above) branch.anchored(header);
    const { signingRecord, maySign } = await signingRecords.openFor(loaded);
    let onBeacon = (): void => undefined;
    // What the blocks before had is not known any more: perhaps something.
    let newestItems = loaded.committed.facts.height - 1;
    let before: ShardBlockOutcome = loaded.committed;
    const transactions = this.#transactionsOf(shard, {
      version: loaded.committed.version,
      baseFeePerGasWei: loaded.committed.facts.baseFeePerGasWei,
    });
    const pruner = this.#states.prunerOf(shard);
    const execution = { ...this.#options, evm: createExecutor(), instance: shardInstance, states };
    const chain = await createChain<ShardBlockOutcome, ExecutedShardBlockOutcome>({
      ...this.#options,
      loaded,
      logic: createShardBlockLogic({ ...execution, held: () => this.#shelf.heldSince() }),
      rows: createShardBlockCommits({
        shard,
        states,
        shardStore,
        shelf: this.#shelf,
        window,
        rowsOf: (outcome) => this.#options.rowsOf(shard, outcome),
        onCommitted: (outcome) => {
          if (before.facts.hasItems) newestItems = before.facts.height;
          before = outcome;
          transactions.onCommitted(outcome.block, outcome.version, outcome.facts.baseFeePerGasWei);
          this.#options.onCommitted(shard, outcome);
          pruner.onCommitted();
          branch.committed({ height: outcome.facts.height, hash: outcome.hash });
          if (outcome.asParent.closes || this.#mayBeOver(known, outcome.facts.height) || branch.partsAt !== undefined) this.#settleSoon();
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
      isLosing: (block) => branch.isLosing(block),
      secrets: maySign ? secrets : undefined,
    });
    return {
      chain,
      known,
      branch,
      signingRecord,
      onBeacon: () => onBeacon(),
      newestItems: () => newestItems,
      pursuit: new ShardPursuit(chain, clock),
    };
  }

  // The beacon has gone on from an instance at some height, which a node that is behind comes to later.
  #mayBeOver({ record: { shard, epoch } }: KnownInstance, height: Height): boolean {
    const successor = instancesOf(this.#options.window.newest, shard).find(({ record }) => record.epoch > epoch);
    return successor !== undefined && height >= successor.record.height;
  }

  // One mempool for all instances of a shard.
  #transactionsOf(shard: ChainId, newest: NewestState): TransactionSource {
    const known = this.#transactions.get(shard) ?? this.#options.transactionsOf(shard, newest);
    this.#transactions.set(shard, known);
    return known;
  }
}

async function endOf({ chain, signingRecord }: Running): Promise<void> {
  await chain.stop();
  await signingRecord.close();
}
